import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';

const pages = [
  ...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'native/README.md'],
  ...['docs', 'docs/adr'].flatMap((folder) =>
    readdirSync(join(packageRoot, folder))
      .filter((name) => name.endsWith('.md'))
      .map((name) => join(folder, name)),
  ),
];
const read = (file: string): string => readFileSync(join(packageRoot, file), 'utf8');

/** The anchors of a page, made as GitHub makes them. */
function anchorsOf(page: string): Set<string> {
  const headings = [...page.replaceAll(/^```.*?^```/gmsu, '').matchAll(/^#+ (.*)$/gmu)];
  return new Set(
    headings.map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

describe.each(pages)('%s', (file) => {
  const text = read(file);

  it('names only files of this package that exist', () => {
    const named = [...text.matchAll(/`((?:src|test|native|scripts|wit|guest|schema|templates|bench)\/[\w./-]+)`/gu)];
    const paths = named.flatMap(([, path]) => path ?? []).filter((path) => !/NAME|\*|^src\/.*\.(?:rs|c)$/u.test(path));
    expect(paths.filter((path) => !existsSync(join(packageRoot, path)))).toEqual([]);
  });

  it('links only to pages and headings that exist', () => {
    const links = [...text.matchAll(/\]\((?!https?:|mailto:)([^)\s]+)\)/gu)].flatMap(([, link]) => link ?? []);
    const broken = links.filter((link) => {
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? file : join(dirname(file), path);
      if (!existsSync(join(packageRoot, target))) return true;
      return anchor !== undefined && target.endsWith('.md') && !anchorsOf(read(target)).has(anchor);
    });
    expect(broken).toEqual([]);
  });
});
