import { LineCounter, parseDocument, type Document, type YAMLError } from 'yaml';
import { messageOf } from '../../contract/errors.js';
import { bounds } from '../../contract/limits.js';
import { oneLine } from '../../contract/text.js';
import type { ConfigProblem } from './config-error.js';
import { createLocator, pathText, positionAt } from './locate.js';
import { excessOf, tooManyTokens } from './yaml-bounds.js';
import { aliasProblems, keyProblems } from './yaml-problems.js';

/** A problem at a path in the configuration; the path is later resolved to a line. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  /** A function if the text is expensive: it is called only when the problem is listed. */
  readonly message: string | (() => string);
}

export interface YamlText {
  /** The content as plain data; undefined when it cannot be read. */
  readonly value: unknown;
  readonly problems: readonly ConfigProblem[];
  readonly place: (finding: Finding) => ConfigProblem;
}

/** Errors that do not change the meaning of the rest of the file. */
const harmless: Readonly<Partial<Record<string, string>>> = {
  TAG_RESOLVE_FAILED: 'this tag is not supported; write the value without it',
};
const fatal: Readonly<Partial<Record<string, string>>> = {
  TAB_AS_INDENT: 'YAML does not allow tabs for indentation; indent with spaces',
  MULTIPLE_DOCS: 'a second document starts here; remove one of them',
};

/**
 * Parses YAML 1.2 into plain data. Never throws: every mistake becomes a problem with its line, and so does a text that
 * exceeds `bounds`.
 */
export function readYaml(text: string): YamlText {
  const excess = tooManyTokens(text);
  if (excess !== null) return broken([{ path: '', line: 1, column: 1, message: excess }]);
  const lines = new LineCounter();
  let doc: Document;
  try {
    // The parser would compare each key with all previous keys; keyProblems() does not.
    const options = { prettyErrors: false, version: '1.2', schema: 'core', uniqueKeys: false } as const;
    doc = parseDocument(text, { lineCounter: lines, ...options });
  } catch (error) {
    // The parser is recursive: thousands of open brackets exhaust the stack.
    const message = `cannot be parsed as YAML (${oneLine(messageOf(error), 200)}); reduce the nesting`;
    return broken([{ path: '', line: 1, column: 1, message }]);
  }
  const complaints = [...doc.errors, ...doc.warnings];
  const said = complaints.map((error) => problemOf(error, lines));
  if (complaints.some(({ code }) => harmless[code] === undefined)) return broken(firstOfEachLine(said));
  const { repeated, unusable } = keyProblems(doc, lines);
  const problems = [...said, ...repeated];
  const fatalOnes = [...unusable, ...aliasProblems(doc, lines)];
  if (fatalOnes.length > 0) return broken([...problems, ...fatalOnes]);
  return expand(doc, { problems, place: placeIn(doc, lines) });
}

function expand(doc: Document, { problems, place }: Pick<YamlText, 'problems' | 'place'>): YamlText {
  try {
    const value: unknown = doc.toJS({ maxAliasCount: bounds.yamlAliases });
    const excess = excessOf(value);
    return excess === null ? { value, problems, place } : broken([...problems, place({ path: [], message: excess })]);
  } catch (error) {
    const message = `cannot be expanded (${oneLine(messageOf(error), 200)}); write the values instead of aliases`;
    return broken([...problems, place({ path: [], message })]);
  }
}

function broken(problems: readonly ConfigProblem[]): YamlText {
  return {
    value: undefined,
    problems,
    place: ({ message }) => ({ path: '', line: 1, column: 1, message: textOf(message) }),
  };
}

function placeIn(doc: Document, lines: LineCounter): YamlText['place'] {
  const locate = createLocator(doc, lines);
  return ({ path, message }) => ({
    path: oneLine(pathText(path), 200),
    ...locate(path),
    get message() {
      return textOf(message);
    },
  });
}

function textOf(message: Finding['message']): string {
  return typeof message === 'string' ? message : message();
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
  const seen = new Set<number>();
  return problems.filter(({ line }) => !seen.has(line) && seen.add(line));
}
