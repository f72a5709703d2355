import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { z } from 'zod';
import { HookvisorError } from '../../contract/errors.js';
import { shellQuote } from '../../runtime/files/shell-quote.js';
import { packageRoot } from '../../shared/paths.js';
import type { Language } from './project.js';

const jco = { '@bytecodealliance/jco': '1.34.0' };
const binaryen = { binaryen: '130.0.0' };

/**
 * The npm packages that a build takes, with the versions that are known to work. Only authors need them, so they are
 * those of the project, otherwise those installed alongside Hookvisor.
 */
export const authorPackages: Readonly<Record<Language, Readonly<Record<string, string>>>> = {
  ts: { ...binaryen, 'componentize-qjs': '0.4.5', typescript: '6.0.3' },
  as: { '@extism/as-pdk': '1.0.0', assemblyscript: '0.28.20' },
  c: jco,
  rust: jco,
  go: { ...jco, ...binaryen },
  wat: jco,
};

/**
 * Throws HookvisorError `usage` unless all packages for a language are installed in a version that works. The message
 * names every one that is not, and one command that installs them all.
 */
export function requirePackages(folder: string, language: Language): void {
  const wrong = Object.entries(authorPackages[language]).flatMap(([name, version]) => {
    const installed = installedVersion(name, folder);
    if (installed === null) return [{ name, version, what: `'${name}' is not installed` }];
    return fits(installed, version) ? [] : [{ name, version, what: `'${name}' is version ${installed}` }];
  });
  if (wrong.length === 0) return;
  const needed = wrong.map(({ name, version }) => `${name}@${version}`).join(' ');
  throw new HookvisorError(
    'usage',
    `Cannot build '${folder}': ${wrong.map(({ what }) => what).join(', ')}; ` +
      `run: (cd ${shellQuote(folder)} && npm install --save-dev --save-exact ${needed})`,
    { fields: { packages: needed } },
  );
}

/** Returns the package.json of a new project, with exact versions of the packages that a build takes. */
export function projectPackage(name: string, language: Language): string {
  const scripts = { build: 'hookvisor build', test: 'hookvisor test --build' };
  const content = { name, private: true, type: 'module', scripts, devDependencies: authorPackages[language] };
  return `${JSON.stringify(content, null, 2)}\n`;
}

const manifest = z.object({ version: z.string() });

function installedVersion(name: string, folder: string): string | null {
  for (const from of [folder, packageRoot]) {
    const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? [];
    const file = places.map((place) => join(place, name, 'package.json')).find((path) => existsSync(path));
    if (file !== undefined) return manifest.parse(JSON.parse(readFileSync(file, 'utf8'))).version;
  }
  return null;
}

/** Accepts later patches only: these tools break in minor versions, and another version may build other bytes. */
function fits(installed: string, known: string): boolean {
  const [have = [], want = []] = [installed, known].map((version) => version.split('-')[0]?.split('.').map(Number));
  return have[0] === want[0] && have[1] === want[1] && (have[2] ?? 0) >= (want[2] ?? 0);
}
