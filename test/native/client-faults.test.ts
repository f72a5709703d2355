import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/shared/paths.js';
import { everyFault, type Fault } from '../support/every-fault.js';
import { answering, echoing, startHookServer, type HookServer } from '../support/hook-server.js';
import { buildFaultsLibrary, buildWithFaults, callsOf } from '../support/native-variant.js';

const folder = mkdtempSync(join(tmpdir(), 'client-faults-'));
const lines = 'a line of the document\n'.repeat(4_000);
const document = Buffer.from(`${lines}end`);
/** Denies documents with an end, as a policy that looks for something in them does: half a document would pass. */
const guard = join(folder, 'guard');
writeFileSync(guard, `#!/bin/sh\ncase "$(tail -c 3)" in end) echo denied >&2; exit 7;; esac\n`, { mode: 0o755 });
writeFileSync(join(folder, 'five'), '#!/bin/sh\nexit 5\n', { mode: 0o755 });

const behaviours = { denies: answering(7, '', 'denied\n'), echoes: echoing, allows: answering(0) };
type Runtime = keyof typeof behaviours | 'nobody';
const socketOf = (runtime: Runtime): string => join(folder, `${runtime}.sock`);

interface Scenario {
  readonly what: string;
  readonly runtime: Runtime;
  readonly policy: string;
  readonly operation: 'start' | 'reconnect';
  /** How the shell starts it, when not just so. */
  readonly shell?: string;
  /** The statuses that are right, whatever failed. */
  readonly may: (run: Run) => boolean;
}

interface Run {
  readonly status: number | null;
  readonly out: Buffer;
  readonly err: string;
  readonly ms: number;
}

const denies = ({ status }: Run): boolean => status !== null && status !== 0;
const allows = ({ status }: Run): boolean => status === 0;

const scenarios: readonly Scenario[] = [
  { what: 'the runtime denies', runtime: 'denies', policy: 'deny', operation: 'start', may: denies },
  {
    what: 'the runtime denies and the policy allows',
    runtime: 'denies',
    policy: 'allow',
    operation: 'start',
    may: (run) => denies(run) || (allows(run) && run.err.includes('continues as configured')),
  },
  {
    what: 'the runtime gives another document',
    runtime: 'echoes',
    policy: 'deny',
    operation: 'start',
    may: (run) => denies(run) || (allows(run) && run.out.equals(document)),
  },
  { what: 'a script would deny', runtime: 'nobody', policy: `script ${guard}`, operation: 'start', may: denies },
  {
    what: 'a script runs for its side effects',
    runtime: 'nobody',
    policy: `script ${join(folder, 'five')}`,
    operation: 'reconnect',
    may: allows,
  },
  { what: 'a denial would kill a guest', runtime: 'nobody', policy: 'deny', operation: 'reconnect', may: allows },
  {
    what: 'a denial would kill a guest and stdin is closed',
    runtime: 'allows',
    policy: 'deny',
    operation: 'reconnect',
    shell: 'exec "$0" "$@" <&-',
    may: allows,
  },
  {
    what: 'stdin and stdout are closed',
    runtime: 'denies',
    policy: 'deny',
    operation: 'start',
    shell: 'exec "$0" "$@" <&- >&-',
    may: denies,
  },
];

/** The file that names the deadline has been read. */
const afterPolicy = { open: 2, read: 3 };

const servers: HookServer[] = [];
let client = '';

const policies = new Map<string, string>();

/** A file with this policy, which is written once: another client may be reading it. */
function policyOf(policy: string): string {
  const known = policies.get(policy);
  if (known !== undefined) return known;
  const path = join(folder, `policy-${policies.size}`);
  writeFileSync(path, policy);
  policies.set(policy, path);
  return path;
}

function run(file: string, scenario: Scenario, seconds: number, env: Fault['env'] = {}): Promise<Run> {
  const { runtime, policy, operation, shell = 'exec "$0" "$@"' } = scenario;
  const policyFile = policyOf(`${policy}\ndeadline ${seconds}\n`);
  const start = performance.now();
  const args = ['vm', operation, 'begin', '-'];
  const [command, words] = scenario.shell === undefined ? [file, args] : ['/bin/sh', ['-c', shell, file, ...args]];
  const child = spawn(command, words, {
    // Beyond every deadline here. A write of Node's own that fails can stop Node before the client's first line.
    timeout: 15_000,
    killSignal: 'SIGKILL',
    env: {
      PATH: process.env['PATH'],
      HOOKVISOR_SOCKET: socketOf(runtime),
      HOOKVISOR_UNREACHABLE: policyFile,
      ASAN_OPTIONS: 'detect_leaks=0', // it ends without giving back what the system takes
      ...env,
    },
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(document);
  const ended = new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return Promise.all([ended, buffer(child.stdout), text(child.stderr)]).then(([status, out, err]) => ({
    status,
    out,
    err,
    ms: performance.now() - start,
  }));
}

beforeAll(async () => {
  mkdirSync(join(folder, 'built'));
  mkdirSync(join(folder, 'node'));
  client = join(folder, 'qemu');
  symlinkSync(buildWithFaults(join(folder, 'built'), 'client'), client);
  symlinkSync(join(packageRoot, 'dist/hook-client.mjs'), join(folder, 'node/qemu'));
  for (const [name, behave] of Object.entries(behaviours))
    servers.push(await startHookServer(join(folder, `${name}.sock`), behave));
});
afterAll(async () => {
  for (const server of servers) await server[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(scenarios)('when $what, the client in C', (scenario) => {
  const check = async (fault: Fault, seconds: number): Promise<void> => {
    const result = await run(client, scenario, seconds, fault.env);
    const about = JSON.stringify({ ...fault, ...result, out: result.out.length });
    expect(result.err, about).not.toMatch(/Sanitizer|runtime error/u);
    const silent = fault.call === 'poll' && fault.lasting && scenario.policy === 'allow';
    expect(silent || scenario.may(result), about).toBe(true);
    // The runtime has the deadline, and a script has it once more; then come TERM, KILL and giving up.
    expect(result.ms, about).toBeLessThan(2_000 * seconds + 1_000 + 2_000);
    // Without poll(2) it does not know whether it would wait for a reader.
    if (fault.call === 'poll' && fault.lasting) return;
    const changed = result.status !== baseline.status || result.out.length !== baseline.out.length;
    if (changed && fault.call !== 'write') expect(result.err, about).toContain('hookvisor: ');
  };
  let baseline: Run;
  beforeAll(async () => {
    baseline = await run(client, scenario, 5);
    expect(scenario.may(baseline)).toBe(true);
  });

  it('does not allow what it must not, and says why, whichever call fails', async () => {
    const struck = await everyFault({ dir: folder, calls: callsOf('client') }, (fault) => check(fault, 5));
    expect(struck).toBeGreaterThan(25);
  });

  it('keeps its deadline, whichever call fails for ever', async () => {
    const plan = {
      dir: folder,
      calls: callsOf('client').filter((call) => call !== 'write'),
      lasting: true,
      from: afterPolicy,
    };
    const struck = await everyFault(plan, (fault) => check(fault, 0.3));
    expect(struck).toBeGreaterThan(10);
  });
});

describe('the client in Node', () => {
  it('does not allow what a script would deny, whichever write of the document fails', async () => {
    const guarded = scenarios.find(({ policy }) => policy.endsWith(guard));
    if (guarded === undefined) throw new Error('no scenario has that script');
    const library = buildFaultsLibrary(folder);
    const plan = { dir: folder, calls: ['write', 'writev', 'sendmsg'], first: 12 };
    const struck = await everyFault(plan, async (fault) => {
      const result = await run(join(folder, 'node/qemu'), guarded, 5, { ...fault.env, LD_PRELOAD: library });
      expect(result.status, JSON.stringify({ ...fault, ...result })).not.toBe(0);
    });
    expect(struck).toBeGreaterThan(5);
  }, 180_000);
});
