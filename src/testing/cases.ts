import { readFile, readdir, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { invalidConfig, type ConfigProblem } from '../runtime/config/config-error.js';
import type { Json } from '../runtime/config/config.js';
import type { Finding } from '../runtime/config/yaml.js';
import { HookvisorError, messageOf } from '../contract/errors.js';
import type { CallDescription } from './call.js';
import { caseFileSchema, type CaseEntry, type CaseFile, type Expectation, type HandlerOfCases } from './case-schema.js';
import type { TestLimits } from './plugin.js';
import { readYamlFile, type YamlFile } from './yaml-file.js';

/** One test case. A case with a matrix expands to one test case per row. */
export interface TestCase {
  readonly name: string;
  readonly call: CallDescription;
  readonly settings: Readonly<Record<string, Json>>;
  readonly limits: Partial<TestLimits>;
  readonly expect: Expectation;
  /** Path of `expect` in the file. */
  readonly path: readonly (string | number)[];
  readonly line: number;
}

/** The cases of one file. */
export interface CaseList {
  readonly file: string;
  readonly text: string;
  /** The handler that the file names; null for the output of the project. */
  readonly handler: HandlerOfCases | null;
  readonly cases: readonly TestCase[];
}

/**
 * Finds the case files of a folder: `cases.yaml` and every `.yaml` file in `cases/`, sorted by name. Throws
 * HookvisorError `usage` when there are none.
 */
export async function findCaseFiles(folder: string): Promise<string[]> {
  const inFolder = (await namesIn(join(folder, 'cases')))
    .filter((name) => /\.ya?ml$/u.test(name))
    .sort()
    .map((name) => join(folder, 'cases', name));
  const single = join(folder, 'cases.yaml');
  const files = (await exists(single)) ? [single, ...inFolder] : inFolder;
  if (files.length > 0) return files;
  throw new HookvisorError(
    'usage',
    `Cannot test '${folder}': it has no cases; create ${join(folder, 'cases.yaml')}, or specify another folder`,
    { fields: { folder } },
  );
}

/** Reads a case file. Throws ConfigError, which lists every mistake with its line, or HookvisorError `usage`. */
export async function readCases(file: string): Promise<CaseList> {
  const read = await readYamlFile(file, { schema: caseFileSchema, what: 'cases' });
  const findings: Finding[] = [];
  const cases: TestCase[] = [];
  for (const [at, entry] of read.value.cases.entries()) {
    const made = await casesOf(entry, { read, at });
    if ('path' in made) findings.push(made);
    else cases.push(...made);
  }
  const problems: ConfigProblem[] = findings.map(read.place);
  if (problems.length > 0) throw invalidConfig(file, problems, 'cases');
  return { file, text: read.text, handler: read.value.handler ?? null, cases };
}

interface Place {
  readonly read: YamlFile<CaseFile>;
  readonly at: number;
}

async function casesOf(entry: CaseEntry, { read, at }: Place): Promise<TestCase[] | Finding> {
  const path = ['cases', at];
  const merged = { ...read.value.defaults, ...defined(entry) };
  // The event of the case takes precedence over that of the defaults.
  if (entry.argv !== undefined) delete merged.event;
  if (entry.event !== undefined) delete merged.argv;
  if (merged.argv !== undefined && merged.event !== undefined) {
    return { path, message: 'has both argv and event; write only one of them' };
  }
  const document = await documentOf(merged.document, read.file);
  if (document !== null && typeof document === 'object')
    return { path: [...path, 'document'], message: document.problem };
  const call = callDescription(merged, document);
  if (call === null) return { path, message: 'has no event; write argv: [NAME, OPERATION, SUBOPERATION, EXTRA]' };
  const limits = limitsOf(merged.limits);
  const at2 = (rest: readonly (string | number)[]) => {
    const where = [...path, ...rest];
    return { path: where, line: read.place({ path: where, message: '' }).line };
  };
  const { name, matrix } = entry;
  if ((entry.expect === undefined) === (matrix === undefined)) {
    return {
      path,
      message: `${matrix ? 'has both expect and matrix' : 'has no expectation'}; write expect: allow, or a matrix`,
    };
  }
  if (entry.expect !== undefined) {
    return [{ name, call, settings: merged.settings ?? {}, limits, expect: entry.expect, ...at2(['expect']) }];
  }
  return (matrix ?? []).map((row, index) => ({
    name: `${name} › ${row.name ?? JSON.stringify(row.settings ?? {})}`,
    call,
    settings: settingsOf(row.settings, merged.settings),
    limits: { ...limits, ...limitsOf(row.limits) },
    expect: row.expect,
    ...at2(['matrix', index, 'expect']),
  }));
}

type Merged = NonNullable<CaseFile['defaults']>;

function callDescription(merged: Merged, document: string | null): CallDescription | null {
  const { argv, event, driver, time, id } = merged;
  const rest = {
    document,
    ...(driver !== undefined && { driver }),
    ...(time !== undefined && { time }),
    ...(id !== undefined && { id }),
  };
  if (argv !== undefined) return { argv, ...rest };
  if (event === undefined) return null;
  const { kind, name, event: operation, qualifier, extra } = event;
  return { kind, name, event: operation, ...(qualifier !== undefined && { qualifier }), extra: extra ?? null, ...rest };
}

async function documentOf(
  written: Merged['document'],
  caseFile: string,
): Promise<string | null | { readonly problem: string }> {
  if (typeof written === 'string' || written === null || written === undefined) return written ?? null;
  const file = resolve(dirname(caseFile), written.file);
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    return { problem: `the file '${file}' cannot be read: ${messageOf(error)}; correct the path` };
  }
}

/** Adds the settings of a row to those of its case; an empty mapping means none at all. */
function settingsOf(row: Merged['settings'], ofCase: Merged['settings']): Readonly<Record<string, Json>> {
  return row !== undefined && Object.keys(row).length === 0 ? {} : { ...ofCase, ...row };
}

function limitsOf(written: Merged['limits']): Partial<TestLimits> {
  const { deadline, fuel, memory, pluginSize } = written ?? {};
  return {
    ...(deadline !== undefined && { deadlineMs: deadline }),
    ...(fuel !== undefined && { fuel }),
    ...(memory !== undefined && { memoryBytes: memory }),
    ...(pluginSize !== undefined && { pluginBytes: pluginSize }),
  };
}

function defined(entry: CaseEntry): Partial<Merged> {
  return Object.fromEntries(Object.entries(entry).filter(([, value]) => value !== undefined));
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    return [];
  }
}

async function exists(file: string): Promise<boolean> {
  return stat(file).then(
    (found) => found.isFile(),
    () => false,
  );
}
