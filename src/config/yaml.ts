import { LineCounter, parseDocument, visit, type Document, type YAMLError } from 'yaml';
import { messageOf } from '../errors.js';
import { oneLine } from '../text.js';
import type { ConfigProblem } from './config-error.js';
import { locate, pathText, positionAt } from './locate.js';

/** A problem at a path in the configuration; the path is later resolved to a line. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

export interface YamlText {
  /** The content as plain data; undefined when it cannot be read. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly place: (finding: Finding) => ConfigProblem;
}

/** A configuration has a few levels; settings may add some. */
const deepest = 64;
/** An alias expands to its whole anchor: a few can expand to gigabytes. */
const mostAliases = 100;

/** Errors that do not change the meaning of the rest of the file. */
const harmless: Readonly<Partial<Record<string, string>>> = {
  DUPLICATE_KEY: 'this key appears twice; remove one of them',
  TAG_RESOLVE_FAILED: 'this tag is not supported; write the value without it',
};
const fatal: Readonly<Partial<Record<string, string>>> = {
  TAB_AS_INDENT: 'YAML does not allow tabs for indentation; indent with spaces',
  MULTIPLE_DOCS: 'a second document starts here; remove one of them',
};

/** Parses YAML 1.2 into plain data. Never throws: every mistake becomes a problem with its line. */
export function readYaml(text: string): YamlText {
  const lines = new LineCounter();
  let doc: Document;
  try {
    doc = parseDocument(text, { lineCounter: lines, prettyErrors: false, version: '1.2', schema: 'core' });
  } catch (error) {
    // The parser is recursive: thousands of open brackets exhaust the stack.
    const message = `cannot be parsed as YAML (${oneLine(messageOf(error), 200)}); reduce the nesting`;
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
      const message = `is nested deeper than ${deepest} levels; reduce the nesting`;
      return broken([...problems, place({ path: [], message })]);
    }
    return { value, problems, place };
  } catch (error) {
    const message = `cannot be expanded (${oneLine(messageOf(error), 200)}); write the values instead of aliases`;
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
    return {
      path: '',
      ...positionAt(lines, error.pos[0]),
      message: 'is nested too deeply to parse; reduce the nesting',
    };
  }
  const message =
    harmless[error.code] ?? fatal[error.code] ?? `is not valid YAML: ${oneLine(error.message, 200)}; correct it`;
  return { path: '', ...positionAt(lines, error.pos[0]), message };
}

/** Keeps the first problem at each position: one mistake can cause several errors, and the first is the clearest. */
function firstOfEachLine(problems: readonly ConfigProblem[]): ConfigProblem[] {
  return problems.filter(({ line }, at) => problems.findIndex((other) => other.line === line) === at);
}

/** Reports aliases that are undefined, recursive, or too many. */
function aliasProblems(doc: Document, lines: LineCounter): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  let seen = 0;
  visit(doc, {
    Alias(_, alias, ancestors) {
      const at = { path: '', ...positionAt(lines, alias.range?.[0] ?? 0) };
      seen++;
      if (seen > mostAliases) {
        problems.push({ ...at, message: `more than ${mostAliases} aliases are used; write the values instead` });
        return visit.BREAK;
      }
      const target = alias.resolve(doc);
      const name = oneLine(alias.source, 40);
      if (target === undefined) {
        problems.push({
          ...at,
          message: `the alias '*${name}' has no anchor '&${name}' before it; define the anchor first`,
        });
      } else if (ancestors.includes(target)) {
        problems.push({ ...at, message: `the alias '*${name}' is inside its own anchor; write the value instead` });
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
