import { setTimeout as wait } from 'node:timers/promises';
import type { z } from 'zod';
import type { Config } from '../config/config.js';
import type { Promotion } from '../daemon/one-handler.js';
import { askStatus } from '../daemon/ask-status.js';
import { askRuntime } from '../daemon/remote.js';
import { statusSchema } from '../daemon/status.js';
import type { TrialStatus } from '../daemon/trial.js';
import { HookvisorError } from '../errors.js';
import { stagePlugin } from '../replay/install-plugin.js';
import { oneLine } from '../text.js';
import { createProgress } from './progress.js';
import type { Terminal } from './terminal.js';

/** What is looked at. */
const looked = statusSchema.pick({ handlers: true, trial: true });

const statusTimeoutMs = 10_000;
const loadTimeoutMs = 180_000;
const pollMs = 500;

/** sha256 of the plugin that a handler has in the running runtime. Throws HookvisorError `usage` when it has none. */
export async function pluginInForce(socket: string, handler: string): Promise<string> {
  const { handlers } = await statusOf(socket);
  const digest = handlers.find((one) => one.handler === handler)?.digest ?? null;
  if (digest !== null) return digest;
  const known = handlers.filter((one) => one.digest !== null).map((one) => one.handler);
  throw new HookvisorError(
    'usage',
    `Cannot promote to handler '${handler}': the runtime at '${socket}' has no plugin of that name; ` +
      `it has ${known.join(', ') || 'none'}`,
  );
}

export interface TrialWanted {
  readonly config: Config;
  readonly socket: string;
  readonly promotion: Promotion;
  readonly bytes: Buffer;
  readonly durationMs: number;
  readonly terminal: Terminal;
}

/** Lets a plugin run in monitor and waits for the end. True when it said the same as the old one, about one event at least. */
export async function runTrial(wanted: TrialWanted): Promise<boolean> {
  const { config, socket, promotion, bytes, durationMs, terminal } = wanted;
  const staged = await stagePlugin(config, promotion.handler, bytes);
  try {
    const [file = ''] = staged.written;
    const command = { command: 'begin-trial', ...promotion, file, durationMs } as const;
    await askRuntime({ socket, command, timeoutMs: loadTimeoutMs });
  } finally {
    // It is loaded by now, and a new process is given what was loaded.
    await staged.undo();
  }
  terminal.err.write(`'${promotion.handler}' is on trial; Ctrl-C ends it, and nothing changes\n`);
  const stop = new AbortController();
  const onSignal = (): void => {
    stop.abort();
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    return report(await waitForEnd(wanted, stop.signal), terminal);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

async function waitForEnd({ socket, promotion, terminal }: TrialWanted, signal: AbortSignal): Promise<TrialStatus> {
  const progress = createProgress(terminal.err, { what: 'events on trial', quiet: false });
  for (;;) {
    const { trial } = await statusOf(socket);
    if (trial === null || trial.to !== promotion.to || trial.handler !== promotion.handler) {
      throw new HookvisorError('usage', `Cannot follow the trial: the runtime was started again; begin it again`);
    }
    if (trial.state !== 'running') {
      progress.end();
      return trial;
    }
    progress.at(trial.compared);
    if (signal.aborted) await askRuntime({ socket, command: { command: 'cancel-trial' }, timeoutMs: loadTimeoutMs });
    else await wait(pollMs, null, { signal }).catch(() => undefined);
  }
}

function report({ state, compared, flips, newFailures, examples }: TrialStatus, { out, err }: Terminal): boolean {
  for (const { event, before, after } of examples) {
    out.write(`${out.paint('red', 'FLIP')}  ${oneLine(`${event.driver} ${event.event} ${event.name}`, 120)}\n`);
    out.write(`  old  ${oneLine(before, 300)}\n  new  ${oneLine(after, 300)}\n`);
  }
  out.write(`trial: ${compared} events, ${flips} flips, ${newFailures} new failures\n`);
  const obstacle =
    state !== 'done'
      ? `the trial ended before its time (${state})`
      : compared === 0
        ? 'it was asked about no event'
        : flips + newFailures > 0
          ? "it did not say the same; 'hookvisor journal --handler NAME.next' has all of it"
          : null;
  if (obstacle === null) return true;
  err.write(`not promoted: ${obstacle}\n`);
  return false;
}

async function statusOf(socket: string): Promise<z.infer<typeof looked>> {
  return (await askStatus({ socket, timeoutMs: statusTimeoutMs }, looked)).status;
}
