import { readFile } from 'node:fs/promises';
import { buffer } from 'node:stream/consumers';
import type { Command } from 'commander';
import { z } from 'zod';
import { defaultSocket } from '../../runtime/config/defaults.js';
import type { Decision } from '../../runtime/engine.js';
import type { EmitCommand } from '../../contract/protocol.js';
import { askRuntime } from '../remote.js';
import { configFrom, createRuntime } from '../../runtime/runtime.js';
import { verdictSchema } from '../../contract/verdict.js';
import { HookvisorError, messageOf } from '../../contract/errors.js';
import { createLog } from '../../runtime/log.js';
import { jsonLine, oneLine } from '../../contract/text.js';
import { type CommandContext, exitStatus, newCommand, secondsOption } from '../command.js';
import type { Terminal } from '../terminal/terminal.js';

interface EmitOptions {
  readonly driver?: string;
  readonly document?: string;
  readonly socket?: string;
  readonly config?: string;
  readonly timeout: number;
  readonly json?: true;
}

const answerSchema = z.object({ verdict: verdictSchema });

/** Implements `hookvisor emit`: sends one event through a runtime; exits with 0 when allowed, 1 when denied. */
export function emitCommand({ terminal, finish }: CommandContext): Command {
  return newCommand('emit', 'send one event and show the verdict', [
    'hookvisor emit domain web-1 start begin --document web-1.xml',
    'hookvisor emit domain web-1 migrate begin --document - --json < web-1.xml',
    'hookvisor emit --config ./hookvisor.yaml network default start begin   # no runtime needed, no journal written',
    'hookvisor emit domain -- -rf start begin   # a name that starts with a dash',
  ])
    .argument('<kind>', 'domain, network, daemon, or a kind of a newer libvirt')
    .argument('<name>', 'name of the object; - for the daemon')
    .argument('<event>', 'libvirt operation: prepare, start, migrate, …')
    .argument('<qualifier>', 'libvirt sub-operation: begin, end or -')
    .argument('[extra]', 'extra argument of libvirt')
    .option('-d, --driver <driver>', 'libvirt hook name (default: qemu for a domain, otherwise the kind)')
    .option('--document <file>', 'file with the XML that libvirt would send to the hook; - for stdin')
    .option('--socket <path>', `the runtime's socket (default: ${defaultSocket})`)
    .option('-c, --config <file>', 'decide in this process with this configuration; needs no runtime')
    .option('--timeout <seconds>', 'timeout for the answer of the runtime (default: 90)', secondsOption, 90_000)
    .option('--json', 'print the verdict as JSON')
    .action(async (...given: [string, string, string, string, string | undefined, EmitOptions]) => {
      const [kind, name, event, qualifier, extra, options] = given;
      const words: EmitCommand = { command: 'emit', kind, name, event, qualifier };
      if (extra !== undefined) words.extra = extra;
      if (options.driver !== undefined) words.driver = options.driver;
      const document = options.document === undefined ? null : await readDocument(options.document);
      const decision =
        options.config !== undefined && options.socket === undefined
          ? await decideHere(options.config, { words, document, terminal })
          : await decideThere(options.socket ?? defaultSocket, { words, document, timeoutMs: options.timeout });
      if (options.json === true) terminal.out.write(jsonLine(decision.verdict));
      else print(decision, terminal);
      finish(decision.verdict.answered === 'deny' ? exitStatus.negative : exitStatus.success);
    });
}

async function readDocument(file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(process.stdin) : await readFile(file);
  } catch (error) {
    throw new HookvisorError(
      'usage',
      `Cannot read the document '${file}': ${messageOf(error)}; specify a file, or - for stdin`,
      {
        cause: error,
      },
    );
  }
}

/** Decides in this process, without a journal: a trial event does not belong there. */
async function decideHere(
  file: string,
  event: { words: EmitCommand; document: Buffer | null; terminal: Terminal },
): Promise<Decision> {
  const load = configFrom(file, { journal: null });
  await using runtime = await createRuntime({ log: createLog(event.terminal.err), load });
  return await runtime.emit(event.words, event.document);
}

async function decideThere(
  socket: string,
  event: { words: EmitCommand; document: Buffer | null; timeoutMs: number },
): Promise<Decision> {
  const { words: command, document, timeoutMs } = event;
  const { head, tail } = await askRuntime({ socket, command, document, timeoutMs });
  const answer = answerSchema.safeParse(head);
  if (!answer.success) {
    throw new HookvisorError('protocol', `Cannot read the runtime's verdict: ${answer.error.message}`, {
      cause: answer.error,
    });
  }
  return { verdict: answer.data.verdict, document: tail.length > 0 ? tail : null };
}

/** Prints the decisions on stderr, and a replaced document on stdout, as libvirt would receive it. */
function print({ verdict, document }: Decision, { out, err }: Terminal): void {
  for (const { handler, mode, outcome, failure, reason } of verdict.handlers) {
    const said = failure === null ? (outcome ?? '') : `failed (${failure})`;
    const why = reason === null ? '' : `: ${oneLine(reason, 1_024)}`;
    err.write(err.paint('dim', `  ${handler}${mode === 'monitor' ? ' (monitor)' : ''} ${said}${why}\n`));
  }
  const reason = verdict.reason === null ? '' : `: ${oneLine(verdict.reason, 1_024)}`;
  if (verdict.answered === 'deny') err.write(`${err.paint('red', 'denied')}${reason}\n`);
  else if (verdict.verdict === 'deny') {
    err.write(`${err.paint('yellow', 'allowed')}, although a handler denied it${reason}\n`);
    err.write(`  the denial was not sent to libvirt: its effect would be '${verdict.effect}'\n`);
  } else err.write(`${err.paint('green', verdict.answered === 'replace' ? 'replaced' : 'allowed')}\n`);
  if (document !== null && verdict.answered === 'replace') out.writeDocument(document);
}
