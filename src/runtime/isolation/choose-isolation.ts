import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { isolationLevels, isolationMechanisms } from '../../contract/isolation-level.js';
import type { SandboxSettings } from '../config/config.js';
import type { IsolationMechanism } from '../../contract/isolation-level.js';
import { HookvisorError } from '../../contract/errors.js';
import { packageRoot } from '../../shared/paths.js';
import { bubblewrap } from './bubblewrap.js';
import { changeUser } from './change-user.js';
import { claims, levelOf } from './isolation.js';
import type { Isolation, Protection } from './isolation.js';
import type { Mechanism, Ways } from './mechanism.js';
import { hasPermissionModel, nodeBinary, readablePaths } from './node-command.js';
import { plainProcess } from './plain-process.js';
import { lastWords } from './sandbox-process.js';
import { filterDescriptor } from './seccomp.js';
import { findTool } from '../find-tool.js';
import { unshare } from './unshare.js';

/** The selected mechanism and its protections. */
export interface ChosenIsolation {
  readonly mechanism: Mechanism;
  readonly isolation: Isolation;
}

const ways: Readonly<Record<IsolationMechanism, () => Ways>> = {
  bubblewrap,
  unshare,
  user: changeUser,
  process: plainProcess,
};

const trial = `
for (const path of process.argv.slice(1)) require('node:fs').openSync(path);
process.stdout.write('it works');
`;

/** Each is tried only once per runtime: a trial takes about 50 ms, and its result does not change. */
const tried = new Map<IsolationMechanism, Tried>();
type Tried = Mechanism | { readonly reason: string };
const untried: Tried = { reason: 'it was not tried' };

/**
 * Returns the best mechanism that works on this host, or the configured one. Throws HookvisorError `isolation` if its
 * level is too low, or if the configured mechanism does not work.
 */
export function chooseIsolation({ require, isolation: wanted }: SandboxSettings): ChosenIsolation {
  const unavailable: { mechanism: IsolationMechanism; reason: string }[] = [];
  for (const name of isolationMechanisms) {
    if (wanted !== 'auto' && wanted !== name) {
      unavailable.push({ mechanism: name, reason: `the configuration sets isolation: ${wanted}` });
      continue;
    }
    const mechanism = attempt(name);
    if ('reason' in mechanism) {
      unavailable.push({ mechanism: name, reason: mechanism.reason });
      continue;
    }
    const level = levelOf[name];
    const isMissing = (claim: Protection): boolean =>
      mechanism.lacks.includes(claim) || (claim === 'node-permissions' && !hasPermissionModel);
    const isolation: Isolation = {
      level,
      mechanism: name,
      protections: claims[level].filter((claim) => !isMissing(claim)),
      missing: claims[level].filter(isMissing),
      unavailable,
    };
    if (isolationLevels.indexOf(isolation.level) > isolationLevels.indexOf(require)) {
      throw refusal(`this host only offers '${isolation.level}'`, { require, unavailable });
    }
    return { mechanism, isolation };
  }
  throw refusal(`'${wanted}' does not work on this host`, { require, unavailable });
}

/**
 * Runs the trials of {@link chooseIsolation} for these settings without blocking the thread, so that
 * {@link chooseIsolation} finds the results. For a thread that answers events.
 */
export async function tryIsolation({ isolation: wanted }: SandboxSettings): Promise<void> {
  for (const name of isolationMechanisms) {
    if (wanted !== 'auto' && wanted !== name) continue;
    const result = tried.get(name) ?? (await tryWays(name));
    tried.set(name, result);
    if (!('reason' in result)) return;
  }
}

async function tryWays(name: IsolationMechanism): Promise<Tried> {
  const possible = ways[name]();
  if ('reason' in possible) return possible;
  let result: Tried = untried;
  for (const way of possible) {
    const wrong = await trialProblem(way);
    if (wrong === null) return way;
    result = { reason: wrong };
  }
  return result;
}

async function trialProblem(mechanism: Mechanism): Promise<string | null> {
  const { program, args, options, input } = trialOf(mechanism);
  const child = spawn(program, args, { ...options, stdio: 'pipe' });
  const ended = new Promise<{ status: number | null; error?: Error }>((resolve) => {
    child.once('error', (error) => {
      resolve({ status: null, error });
    });
    child.once('close', (status) => {
      resolve({ status });
    });
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended]);
  return problemIn({ stdout, stderr, ...end });
}

function attempt(name: IsolationMechanism): Tried {
  const known = tried.get(name);
  if (known !== undefined) return known;
  const possible = ways[name]();
  let result: Tried = 'reason' in possible ? possible : untried;
  if (!('reason' in possible)) {
    for (const way of possible) {
      const { program, args, options, input } = trialOf(way);
      const wrong = problemIn(spawnSync(program, args, { ...options, encoding: 'utf8', input }));
      result = wrong === null ? way : { reason: wrong };
      if (wrong === null) break;
    }
  }
  tried.set(name, result);
  return result;
}

/** Starts Node with the mechanism and lets it read the package. */
function trialOf(mechanism: Mechanism) {
  const limits = { memoryMiB: 1_024, cpuSeconds: 10, processes: 32 };
  const readable = readablePaths(['zod']);
  const command = [nodeBinary, '-e', trial, ...readable, join(packageRoot, 'dist', 'runner', 'main.js')];
  const [program = '', ...args] = throughStdin(mechanism.filter, mechanism.wrap({ command, readable, limits }));
  const options = { cwd: '/', env: {}, timeout: 10_000, killSignal: 'SIGKILL' } as const;
  return { program, args, options, input: mechanism.filter ?? '' };
}

interface TrialEnd {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly error?: Error | undefined;
}

/** Returns what went wrong, or null if it works. */
function problemIn({ stdout, stderr, status, error }: TrialEnd): string | null {
  if (stdout === 'it works') return null;
  const said = lastWords(stderr);
  return error?.message ?? (said === '' ? `it exited with status ${status ?? '?'}` : said);
}

/** Provides the filter at its descriptor: spawnSync can only write to stdin. */
function throughStdin(filter: Buffer | null, argv: readonly string[]): readonly string[] {
  return filter === null
    ? argv
    : [findTool('sh') ?? 'sh', '-c', `exec "$@" ${filterDescriptor}<&0 </dev/null`, 'sh', ...argv];
}

function refusal(
  what: string,
  { require, unavailable }: { require: string; unavailable: Isolation['unavailable'] },
): HookvisorError {
  const reasons = unavailable.map(({ mechanism, reason }) => `\n  ${mechanism}: ${reason}`).join('');
  return new HookvisorError(
    'isolation',
    `Cannot isolate plug-ins at the level '${require}': ${what}; install bubblewrap (apt install bubblewrap), ` +
      `allow user namespaces (sysctl user.max_user_namespaces, kernel.apparmor_restrict_unprivileged_userns), ` +
      `or accept weaker isolation with 'sandbox: { require: process }'${reasons}`,
    { fields: { require } },
  );
}
