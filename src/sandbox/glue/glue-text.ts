import type { ExportRef } from '../../backends/component-plan.js';

/** The glue is not as expected. The message says where. */
export class Unexpected extends Error {}

/** What may stand in a hole of an expected text, by the hole's name. */
const holes: Readonly<Record<string, string>> = {
  number: String.raw`\d+`,
  other: String.raw`\d+`,
  name: String.raw`[$\w]+`,
  ref: String.raw`exports\d+(?:\.[$\w]+|\['[^'\\\n]*'\])`,
  from: String.raw`\d+`,
  to: String.raw`\d+`,
  parameters: String.raw`\w*(?:, \w+)*`,
  /** The object of imports, whose lines stand deeper than its end. */
  imports: String.raw`(?:\n {6}[^\n]*)*`,
  key: String.raw`(?:[$\w]+|'[^'\\\n]*')`,
  message: String.raw`[^"\\\n]*`,
  line: String.raw`[^\n]*`,
  /** Up to the end of a function in the generator. */
  body: String.raw`[\s\S]*?\n {4}\}(?=\n)`,
  /** Up to the end of a call over several lines in the generator. */
  call: String.raw`[\s\S]*?\n {4}\);`,
  any: String.raw`[\s\S]*?`,
};

export type Holes = (name: string) => string;

/**
 * Matches, from a place on, text that is as given but for its spaces, and for its holes: `<name>`. A hole that is named
 * twice holds the same twice. Gives what is in the holes and where the match ends.
 */
export type Expected = (text: string, at: number) => { readonly hole: Holes; readonly end: number } | null;

export function expected(template: string): Expected {
  const seen = new Set<string>();
  const source = template.replace(/<(\w+)>|\s+|[^\w\s]/gu, (part: string, name?: string) => {
    if (name === undefined) return /\s/u.test(part) ? String.raw`\s+` : `\\${part}`;
    if (seen.has(name)) return String.raw`\k<${name}>`;
    seen.add(name);
    return `(?<${name}>${holes[name] ?? ''})`;
  });
  // Quotes, commas and the like may not be escaped in a Unicode pattern.
  const pattern = new RegExp(source.replace(/\\([^\w\s^$.*+?()[\]{}|\\/])/gu, '$1'), 'uy');
  return (text, at) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    return match && { hole: (name) => match.groups?.[name] ?? '', end: pattern.lastIndex };
  };
}

/** `exports1.name` or `exports1['name']`. */
export function parseRef(text: string): ExportRef {
  const match = /^exports(\d+)(?:\.([$\w]+)|\['([^']*)'\])$/u.exec(text);
  if (match === null) throw new Unexpected(`the export ${JSON.stringify(text)}`);
  return [Number(match[1]), match[2] ?? match[3] ?? ''];
}

/** A property's name, quoted or not. */
export function parseKey(text: string): string {
  const key = text.startsWith("'") ? text.slice(1, -1) : text;
  if (key === '__proto__') throw new Unexpected("the name '__proto__'");
  return key;
}
