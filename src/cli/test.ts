import { stat, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { buildProject } from '../authoring/build.js';
import { isProject, readProject } from '../authoring/project.js';
import { HookvisorError } from '../errors.js';
import { findCaseFiles, readCases, type CaseList } from '../testing/cases.js';
import { runCases, type TestedHandler } from '../testing/run-cases.js';
import { updateCases } from '../testing/update-cases.js';
import { describeBuild } from './build.js';
import { type CommandContext, exitStatus, type ExitStatus, newCommand, reportError } from './command.js';
import { reporterNames, reporters, type ReporterName } from './reporters.js';
import type { FileResults } from './test-report.js';
import type { Terminal } from './terminal.js';
import { watchFolder } from './watch.js';

interface TestOptions {
  readonly reporter: ReporterName;
  readonly build?: boolean;
  readonly update?: true;
  readonly watch?: true;
  readonly json?: true;
}

/** `hookvisor test`: the cases of a folder through the real sandbox; exit 1 when one does not hold. */
export function testCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('test', 'run the cases beside a plug-in or a script through the sandbox', [
    'hookvisor test',
    'hookvisor test naming --build --reporter junit > naming.xml',
    'hookvisor test naming --watch',
    'hookvisor test naming --update   # writes what happens as what is expected: read the difference',
  ])
    .argument('[dir]', 'the folder with cases.yaml or cases/, or one file of cases', '.')
    .option('-r, --reporter <name>', reporterNames.join(', '), reporterOption, 'spec')
    .option('--build', 'build the project first')
    .option('-u, --update', 'rewrite expectations that do not hold')
    .option('-w, --watch', 'build and test again at every change')
    .option('--json', 'the same as --reporter json')
    .action(async (target: string, given: TestOptions) => {
      const options: TestOptions = given.json === true ? { ...given, reporter: 'json' } : given;
      if (options.watch === true) {
        await watchAndTest(target, options, terminal);
        finish(exitStatus.success);
      } else {
        finish(await testOnce(target, options, terminal));
      }
    });
}

async function testOnce(target: string, options: TestOptions, terminal: Terminal): Promise<ExitStatus> {
  const began = performance.now();
  const { folder, files } = await casesAt(target);
  // Every mistake in a case is told before anything runs.
  const lists = await Promise.all(files.map(readCases));
  if (options.build === true) {
    terminal.err.write(describeBuild(await buildProject(await readProject(folder))));
  }
  const reporter = reporters[options.reporter](terminal);
  const all: FileResults[] = [];
  for (const list of lists) {
    const handler = await handlerOf(list, folder);
    reporter.file(list.file);
    const results = await runCases(list.cases, handler, (result) => {
      reporter.result(result);
    });
    all.push({ file: list.file, results });
  }
  reporter.end(all, performance.now() - began);
  const failed = all.some(({ results }) => results.some(({ differences }) => differences.length > 0));
  if (!failed) return exitStatus.success;
  if (options.update !== true) return exitStatus.negative;
  for (const list of lists) await update(list, { all, terminal });
  return exitStatus.success;
}

async function casesAt(target: string): Promise<{ folder: string; files: string[] }> {
  const found = await stat(target).catch(() => null);
  if (found === null) {
    throw new HookvisorError('usage', `Cannot test '${target}': there is no such folder; name a project's folder`);
  }
  return found.isFile()
    ? { folder: dirname(target), files: [target] }
    : { folder: target, files: await findCaseFiles(target) };
}

/** What the case file names, else what the project builds. */
async function handlerOf({ file, handler }: CaseList, folder: string): Promise<TestedHandler> {
  if (handler !== null) {
    const { source, backend, arguments: style, grants } = handler;
    return {
      file: resolve(dirname(file), source),
      ...(backend !== undefined && { backend }),
      ...(style !== undefined && { arguments: style }),
      ...(grants !== undefined && { grants }),
    };
  }
  if (await isProject(folder)) return { file: (await readProject(folder)).output };
  throw new HookvisorError(
    'usage',
    `Cannot test '${folder}': '${file}' does not say what it tests, and the folder is no project; ` +
      `write handler: { source: PATH } into it`,
  );
}

async function update(
  list: CaseList,
  { all, terminal }: { all: readonly FileResults[]; terminal: Terminal },
): Promise<void> {
  const results = all.find(({ file }) => file === list.file)?.results ?? [];
  const changed = results.filter(({ differences }) => differences.length > 0).length;
  if (changed === 0) return;
  await writeFile(list.file, updateCases(list.text, results));
  terminal.err.write(`updated ${changed} expectation(s) in ${relative('.', list.file)}; read the difference\n`);
}

/** Builds and tests at every change until the user ends it. */
async function watchAndTest(target: string, options: TestOptions, terminal: Terminal): Promise<void> {
  const { folder } = await casesAt(target);
  const project = await isProject(folder);
  const round = async (build: boolean): Promise<void> => {
    try {
      await testOnce(target, { ...options, build }, terminal);
    } catch (error) {
      reportError(error, { terminal, json: false });
    }
    terminal.err.write(terminal.err.paint('dim', 'waiting for changes, end with Ctrl-C\n'));
  };
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
  };
  process.once('SIGINT', end).once('SIGTERM', end);
  const isSource = (path: string): boolean => !/\.ya?ml$|\.md$/u.test(path);
  const watching = watchFolder(folder, {
    signal: ending.signal,
    onChange: (paths) => round(project && [...paths].some(isSource)),
  });
  await round(project);
  await watching;
  process.off('SIGINT', end).off('SIGTERM', end);
}

function reporterOption(text: string): ReporterName {
  const found = reporterNames.find((name) => name === text);
  if (found === undefined) throw new InvalidArgumentError(`Expected one of ${reporterNames.join(', ')}.`);
  return found;
}
