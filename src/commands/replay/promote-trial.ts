import { setTimeout as wait } from 'node:timers/promises';
import type { z } from 'zod';
import type { Config } from '../../runtime/config/config.js';
import { askStatus } from '../ask-status.js';
import { askRuntime } from '../remote.js';
import type { Promotion } from '../../runtime/single-handler-config.js';
import { statusSchema } from '../../contract/status.js';
import type { TrialStatus } from '../../runtime/trial.js';
import { HookvisorError } from '../../contract/errors.js';
import { stagePlugin } from './install-plugin.js';
import { oneLine } from '../../contract/text.js';
import { createProgress } from '../terminal/progress.js';
import type { Terminal } from '../terminal/terminal.js';

/** What is looked at. */
const looked = statusSchema.pick({ handlers: true, trial: true });

const statusTimeoutMs = 10_000;
const loadTimeoutMs = 180_000;
const pollMs = 500;

/** Returns the sha256 of a handler's plug-in in the running runtime. Throws HookvisorError `usage` for none. */
export async function pluginInForce(socket: string, handler: string): Promise<string> {
  const { handlers } = await statusOf(socket);
  const digest = handlers.find((one) => one.handler === handler)?.digest ?? null;
  if (digest !== null) return digest;
  const known = handlers.filter((one) => one.digest !== null).map((one) => one.handler);
  throw new HookvisorError(
    'usage',
    `Cannot promote to handler '${handler}': the runtime at '${socket}' has no plug-in handler of that name; ` +
      `choose from ${known.join(', ') || 'none'}`,
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

/** Runs a trial to its end. Returns true when the new plug-in agreed with the old one about at least one event. */
export async function runTrial(wanted: TrialWanted): Promise<boolean> {
  const { config, socket, promotion, bytes, durationMs, terminal } = wanted;
  const staged = await stagePlugin(config, promotion.handler, bytes);
  try {
    const [file = ''] = staged.written;
    const command = { command: 'begin-trial', ...promotion, file, durationMs } as const;
    await askRuntime({ socket, command, timeoutMs: loadTimeoutMs });
  } finally {
    // The plug-in is loaded now; a restarted runner receives the loaded bytes, not the file.
    await staged.undo();
  }
  terminal.err.write(`trial of '${promotion.handler}' is running; Ctrl-C cancels it and keeps the old plug-in\n`);
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
  const progress = createProgress(terminal.err, { what: 'events compared', quiet: false });
  for (;;) {
    const { trial } = await statusOf(socket);
    if (trial === null || trial.to !== promotion.to || trial.handler !== promotion.handler) {
      throw new HookvisorError('usage', `Cannot follow the trial: the runtime was restarted; start the trial again`);
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
      ? `the trial ended early (${state})`
      : compared === 0
        ? 'no event reached the handler during the trial'
        : flips + newFailures > 0
          ? "the new plug-in decided differently; 'hookvisor journal --handler NAME.next' shows every event"
          : null;
  if (obstacle === null) return true;
  err.write(`not promoted: ${obstacle}\n`);
  return false;
}

async function statusOf(socket: string): Promise<z.infer<typeof looked>> {
  return (await askStatus({ socket, timeoutMs: statusTimeoutMs }, looked)).status;
}
