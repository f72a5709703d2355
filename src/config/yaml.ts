import { LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import { messageOf } from '../errors.js';
import { oneLine } from '../text.js';
import type { ConfigProblem } from './config-error.js';
import { locate, pathText, positionAt } from './locate.js';

/** Something wrong at a place in the configuration; the place becomes a line once the file is at hand. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export interface YamlText {
  /** What the file says, as plain data; undefined when it cannot be told. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly place: (finding: Finding) => ConfigProblem;
}

/** A configuration is a few levels deep; settings may add some. */
const deepest = 64;
/** An alias stands for all of its anchor: a few can expand to gigabytes. */
const mostAliases = 100;

/** Errors after which the rest of the file still means what it says. */
const harmless: Readonly<Partial<Record<string, string>>> = {
  DUPLICATE_KEY: 'this key is given twice; keep one of the two',
  TAG_RESOLVE_FAILED: 'this tag is not known here; write the value without it',
};
const fatal: Readonly<Partial<Record<string, string>>> = {
  TAB_AS_INDENT: 'a tab stands where YAML wants spaces; indent with spaces',
  MULTIPLE_DOCS: 'a second document begins here; keep one',
};

/** Reads YAML 1.2 into plain data. Never throws: everything that is wrong is a problem with its line. */
export function readYaml(text: string): YamlText {
  const lines = new LineCounter();
  let doc: Document;
  try {
    doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', schema: 'core' });
  } catch (error) {
    // The parser recurses: brackets that open by the thousand exhaust the stack.
    const message = `cannot be read as YAML (${oneLine(messageOf(error), 200)}); nest less deeply`;
    return broken([{ path: '', line: 1, column: 1, message }]);
  }
  const complaints = [...doc.errors, ...doc.warnings];
  const problems = complaints.map((error) => problemOf(error, lines));
  if (complaints.some(({ code }) => harmless[code] === undefined)) return broken(firstOfEachLine(problems));
  const unusable = [...problems, ...aliasProblems(doc, lines)];
  if (unusable.length > problems.length) return broken(unusable);
  const place = placeIn(doc, lines);
  try {
    const value: unknown = doc.toJS({ maxAliasCount: mostAliases });
    if (isTooDeep(value, deepest)) {
      const message = `is nested deeper than ${deepest} levels; nest less deeply`;
      return broken([...problems, place({ path: [], message })]);
    }
    return { value, problems, place };
  } catch (error) {
    const message = `cannot be expanded (${oneLine(messageOf(error), 200)}); write values out instead of aliases`;
    return broken([...problems, place({ path: [], message })]);
  }
}

function broken(problems: readonly ConfigProblem[]): YamlText {
  return { value: undefined, problems, place: ({ message }) => ({ path: '', line: 1, column: 1, message }) };
}

function placeIn(doc: Document, lines: LineCounter): YamlText['place'] {
  return ({ path, message }) => ({ path: oneLine(pathText(path), 200), ...locate(doc, lines, path), message });
}

function problemOf(error: YAMLError, lines: LineCounter): ConfigProblem {
  if (error.message.includes('call stack')) {
    return { path: '', ...positionAt(lines, error.pos[0]), message: 'is nested too deeply to read; nest less deeply' };
  }
  const message = harmless[error.code] ?? fatal[error.code] ?? `not YAML: ${oneLine(error.message, 200)}; correct it`;
  return { path: '', ...positionAt(lines, error.pos[0]), message };
}

/** One mistake makes the parser complain of many things, often at one place; the first says it best. */
function firstOfEachLine(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.filter(({ line }, at) => problems.findIndex((other) => other.line === line) === at);
}

/** Aliases that lead nowhere, into themselves, or are too many. */
function aliasProblems(doc: Document, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  let seen = 0;
  visit(doc, {
    Alias(_, alias, ancestors) {
      const at = { path: '', ...positionAt(lines, alias.range?.[0] ?? 0) };
      seen++;
      if (seen > mostAliases) {
        problems.push({ ...at, message: `more than ${mostAliases} aliases are used; write the values out` });
        return visit.BREAK;
      }
      const target = alias.resolve(doc);
      const name = oneLine(alias.source, 40);
      if (target === undefined) {
        problems.push({ ...at, message: `no anchor '&${name}' stands before the alias '*${name}'; define it first` });
      } else if (ancestors.includes(target)) {
        problems.push({ ...at, message: `the alias '*${name}' stands inside its own anchor; write the value out` });
      }
      return undefined;
    },
  });
  return problems;
}

function isTooDeep(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return levels === 0 || Object.values(value).some((inner) => isTooDeep(inner, levels - 1));
}
