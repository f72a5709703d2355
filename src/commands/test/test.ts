import { stat, writeFile } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { buildProject } from '../build/build.js';
import { isProject, readProject } from '../build/project.js';
import { HookvisorError } from '../../contract/errors.js';
import { oneLine } from '../../contract/text.js';
import { findCaseFiles, readCases, type CaseList } from '../../testing/cases.js';
import { runCases, type TestedHandler } from '../../testing/run-cases.js';
import { updateCases } from '../../testing/update-cases.js';
import { describeBuild } from '../build/command.js';
import { type CommandContext, exitStatus, type ExitStatus, newCommand, reportError } from '../command.js';
import { reporterNames, reporters, type ReporterName } from './reporters.js';
import type { FileResults } from './test-report.js';
import type { Terminal } from '../terminal/terminal.js';
import { changedSource, isSource } from './project-sources.js';
import { watchFolder } from './watch.js';

interface TestOptions {
  readonly reporter: ReporterName;
  readonly build?: boolean;
  readonly update?: true;
  readonly watch?: true;
  readonly json?: true;
}

/** Implements `hookvisor test`: runs the cases of a folder in the real sandbox; exits with 1 when one fails. */
export function testCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('test', 'run the test cases of a plug-in or a script in the sandbox', [
    'hookvisor test',
    'hookvisor test naming --build --reporter junit > naming.xml',
    'hookvisor test naming --watch',
    'hookvisor test naming --update   # accepts the actual results as expected; review the diff',
  ])
    .argument('[dir]', 'folder with cases.yaml or cases/, or a single case file', '.')
    .option('-r, --reporter <name>', reporterNames.join(', '), reporterOption, 'spec')
    .option('--build', 'build the project first')
    .option('-u, --update', 'replace failing expectations with the actual results')
    .option('-w, --watch', 'build and test again after every change')
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
  // Mistakes in any case file are reported before a test runs.
  const lists = await Promise.all(files.map(readCases));
  if (options.build === true) {
    terminal.err.write(describeBuild(await buildProject(await readProject(folder))));
  } else {
    await warnIfStale(folder, terminal);
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

/** Tells whoever forgot to build why a change shows no effect. */
async function warnIfStale(folder: string, { err }: Terminal): Promise<void> {
  if (!(await isProject(folder))) return;
  const project = await readProject(folder);
  const source = await changedSource(project);
  if (source === null) return;
  const plugin = relative(folder, project.output);
  err.write(
    `${err.paint('yellow', 'warning')}: '${oneLine(source, 200)}' has changed since '${plugin}' was built; ` +
      `the cases test the old plug-in. Add --build\n`,
  );
}

async function casesAt(target: string): Promise<{ folder: string; files: string[] }> {
  const found = await stat(target).catch(() => null);
  if (found === null) {
    throw new HookvisorError(
      'usage',
      `Cannot test '${target}': there is no such file or folder; specify a project folder`,
    );
  }
  return found.isFile()
    ? { folder: dirname(target), files: [target] }
    : { folder: target, files: await findCaseFiles(target) };
}

/** Returns the handler that the case file names, or the output of the project. */
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
    `Cannot test '${folder}': '${file}' names no handler, and the folder is not a project; ` +
      `add handler: { source: PATH } to it`,
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
  terminal.err.write(`updated ${changed} expectation(s) in ${relative('.', list.file)}; review the diff\n`);
}

/** Builds and tests after every change until interrupted. */
async function watchAndTest(target: string, options: TestOptions, terminal: Terminal): Promise<void> {
  const { folder } = await casesAt(target);
  const project = await isProject(folder);
  const round = async (build: boolean): Promise<void> => {
    try {
      await testOnce(target, { ...options, build }, terminal);
    } catch (error) {
      reportError(error, { terminal, json: false });
    }
    terminal.err.write(terminal.err.paint('dim', 'waiting for changes; press Ctrl-C to stop\n'));
  };
  const ending = new AbortController();
  const end = (): void => {
    ending.abort();
  };
  process.once('SIGINT', end).once('SIGTERM', end);
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
