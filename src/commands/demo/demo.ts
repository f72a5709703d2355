import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Command } from 'commander';
import { z } from 'zod';
import { packageRoot } from '../../shared/paths.js';
import { oneLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand } from '../command.js';
import { type DemoStage, openDemoStage, type PlayedCall } from './demo-stage.js';
import { row } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';

const recordedCall = z.object({
  chapter: z.string(),
  driver: z.string(),
  argv: z.array(z.string()),
  document: z.string().nullable(),
});
type RecordedCall = z.infer<typeof recordedCall>;

const header = ['EVENT', 'NAME', 'HANDLER', 'BACKEND', 'VERDICT', 'HANDLER TIME', 'WHOLE CALL'];
const widths = [21, 16, 12, 9, 17, 12, 10];

/** Implements `hookvisor demo`: plays a recorded guest life cycle through the client, the socket and all backends. */
export function demoCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('demo', 'play a recorded guest life cycle through all three backends; needs no libvirt', [
    'hookvisor demo',
    'hookvisor demo | cat   # plain text',
    'hookvisor demo --journal ./journal && hookvisor journal ./journal',
  ])
    .option('--journal <dir>', 'keep the journal in this folder')
    .action(async ({ journal }: { journal?: string }) => {
      const { out, err } = terminal;
      const calls = await readLife();
      out.write(`Hookvisor demo: ${calls.length} hook calls, recorded from a real libvirtd.\n`);
      err.write(
        err.paint('dim', 'Starting a runtime: vetting, hardening and compiling its plug-ins takes a few seconds…\n'),
      );
      const began = performance.now();
      await using stage = await openDemoStage(journal === undefined ? null : resolve(journal));
      const stopListening = closeOnInterrupt(stage);
      const seconds = ((performance.now() - began) / 1_000).toFixed(1);
      const client =
        stage.client.kind === 'native' ? 'the native hook client' : 'the Node hook client (no C compiler was found)';
      out.write(
        `The runtime started in ${seconds} s. Each call below goes through ${client} and the runtime's socket.\n`,
      );

      const denied: { call: RecordedCall; played: PlayedCall }[] = [];
      const times: number[] = [];
      let chapter = '';
      for (const call of calls) {
        if (call.chapter !== chapter) {
          chapter = call.chapter;
          out.write(`\n${out.paint('bold', chapter)}\n${out.paint('dim', row(header, widths))}\n`);
        }
        const played = await stage.play(call);
        times.push(played.durationMs);
        if (played.status !== 0) denied.push({ call, played });
        for (const line of rowsOf(call, played, terminal)) out.write(`${row(line, widths)}\n`);
      }
      stopListening();
      out.write(summary({ times, denied, terminal }));
      finish(exitStatus.success);
    });
}

async function readLife(): Promise<RecordedCall[]> {
  const text = await readFile(join(packageRoot, 'examples', 'demo', 'life.jsonl'), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => recordedCall.parse(JSON.parse(line)));
}

/** Returns one row per handler that ran; only the first row shows the call. */
function rowsOf(call: RecordedCall, { verdict, status, durationMs }: PlayedCall, { out }: Terminal): string[][] {
  const [name = '-', event = '', qualifier = ''] = call.argv;
  const what = [`${call.driver} ${event} ${qualifier}`, oneLine(name, 16)];
  const whole = `${durationMs.toFixed(1)} ms`;
  if (verdict.handlers.length === 0) {
    return [[...what, out.paint('dim', 'none'), '', status === 0 ? out.paint('green', 'allow') : '', '', whole]];
  }
  return verdict.handlers.map((one, at) => {
    const said = one.failure ?? one.outcome ?? '';
    const coloured = out.paint(said === 'allow' ? 'green' : said === 'deny' ? 'red' : 'yellow', said);
    const verdictCell = one.mode === 'monitor' ? `${coloured} (monitor)` : coloured;
    const time = `${(one.durationUs / 1_000).toFixed(2)} ms`;
    return [...(at === 0 ? what : ['', '']), one.handler, one.backend, verdictCell, time, at === 0 ? whole : ''];
  });
}

function summary(played: {
  times: readonly number[];
  denied: readonly { call: RecordedCall; played: PlayedCall }[];
  terminal: Terminal;
}): string {
  const { times, denied, terminal } = played;
  const { out } = terminal;
  const sorted = [...times].sort((a, b) => a - b);
  const median = (sorted[Math.floor(sorted.length / 2)] ?? 0).toFixed(1);
  const reasons = denied.map(
    ({ call, played: { stderr } }) =>
      `  ${out.paint('red', 'denied')}  ${call.driver} ${call.argv[1] ?? ''} of '${oneLine(call.argv[0] ?? '', 40)}'\n` +
      `          libvirt shows to its user: ${oneLine(stderr, 400)}\n`,
  );
  return [
    `\n${times.length} calls answered, ${denied.length} denied; median ${median} ms from spawn to exit.\n`,
    ...reasons,
    `\nEverything has been removed again. Next steps:\n`,
    `  node dist/commands/main.js check --config examples/demo/hookvisor.yaml     check the configuration of this demo\n`,
    `  node dist/commands/main.js emit --config examples/demo/hookvisor.yaml domain Bad_Name prepare begin\n`,
    `  docs/configuration.md     configure your own handlers and routes\n`,
    `  docs/writing-handlers.md  write your own plug-in in TypeScript, AssemblyScript, C, Rust or Go\n`,
    `  docs/client.md            install the hook client into /etc/libvirt/hooks\n`,
  ].join('');
}

/** Cleans up on Ctrl-C as well. Returns a function that removes the signal handlers. */
function closeOnInterrupt(stage: DemoStage): () => void {
  const onSignal = (signal: NodeJS.Signals): void => {
    void stage[Symbol.asyncDispose]().then(() => process.kill(process.pid, signal));
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  return () => {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  };
}
