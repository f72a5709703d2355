// @ts-check
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const witFolder = fileURLToPath(new URL('../wit', import.meta.url));

/**
 * Returns the files of a WIT package in a fixed order.
 * @param {string} folder
 * @returns {Promise<{ name: string, text: string }[]>}
 */
async function witFiles(folder) {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.wit')).sort();
  return Promise.all(names.map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })));
}

/**
 * Returns the WIT package of a folder as one text. Some tools fail on a path but accept a text. A package may have
 * several files, but a text only one package line.
 * @param {string} [folder]
 * @returns {Promise<string>}
 */
export async function witPackage(folder = witFolder) {
  const texts = (await witFiles(folder)).map(({ text }) => text);
  const packageLine = /^package\s[^;]+;/mu;
  const line = packageLine.exec(texts.join('\n'))?.[0];
  if (line === undefined) throw new Error(`Cannot read the WIT in '${folder}': no file has a package line`);
  return [line, ...texts.map((text) => text.replace(packageLine, ''))].join('\n');
}

/** The start of a declaration that needs `@since`: types, functions, interfaces and worlds. */
const versioned =
  /^\s*(?:(?:interface|world|record|variant|enum|flags|resource|type|use|import|export|include)\s|[a-z][a-z0-9-]*:\s*(?:async\s+)?func\b)/u;

/** A field or case of a record, variant, enum or flags; it has the version of its type. */
const member = /^\s*%?[a-z][a-z0-9-]*\s*(?:\(.*\)|:.*)?,\s*$/u;

/** These refer to items that are documented where they are declared. */
const reference = /^\s*(?:use|import|export|include)\s/u;

/**
 * Returns declarations without `@since` or without a doc comment, one line each with file and line. The cases of an
 * enum need no comment.
 * @param {string} [folder]
 * @returns {Promise<string[]>}
 */
export async function undocumented(folder = witFolder) {
  /** @type {string[]} */
  const problems = [];
  for (const { name, text } of await witFiles(folder)) {
    const lines = text.split('\n');
    let inEnum = false;
    lines.forEach((line, at) => {
      if (/^\s*(?:\/\/|@|package\s|\}|$)/u.test(line)) {
        if (line.trim() === '}') inEnum = false;
        return;
      }
      const before = attached(lines, at);
      const where = `wit/${name}:${at + 1}: ${line.trim()}`;
      if (versioned.test(line)) {
        if (!before.some((other) => other.startsWith('@since('))) problems.push(`${where} has no @since`);
        if (!reference.test(line) && !hasDoc(before)) problems.push(`${where} has no doc comment`);
        if (/^\s*(?:enum|flags)\s/u.test(line)) inEnum = true;
      } else if (member.test(line) && !inEnum && !hasDoc(before)) {
        problems.push(`${where} has no doc comment`);
      }
    });
  }
  return problems;
}

/**
 * Returns the comments and attributes directly above a line.
 * @param {string[]} lines
 * @param {number} at
 */
function attached(lines, at) {
  const found = [];
  for (let above = at - 1; above >= 0; above--) {
    const line = (lines[above] ?? '').trim();
    if (!line.startsWith('///') && !line.startsWith('@')) break;
    found.push(line);
  }
  return found;
}

/** @param {string[]} before */
function hasDoc(before) {
  return before.some((line) => line.startsWith('///'));
}
