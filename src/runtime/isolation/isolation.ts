import type { IsolationLevel, IsolationMechanism } from '../../contract/isolation-level.js';

/** What can keep a sandbox process in. Each is proved by probes; docs/sandbox.md has the same table. */
export const protections = {
  'empty-environment': 'it has no environment variables',
  'no-new-privileges': 'nothing that it executes can give it privileges, and it has no capabilities',
  'dies-with-runtime': 'the kernel kills it when the runtime dies',
  'node-permissions': "Node's permission model refuses writing, other files, child processes, threads and native code",
  'bounded-resources': 'memory, open files and CPU time are bounded, nothing can be written to a file, no core dump',
  'own-user': 'its user is not that of the runtime, of a guest or of another runner',
  'bounded-processes': 'the kernel bounds its processes and threads',
  'no-signals': 'it can signal and trace no process of the host',
  'no-processes': 'it sees no process of the host',
  'no-files':
    'the kernel shows it nothing but Node, its libraries and the package, read-only: no /etc, /run, /proc or /dev',
  'no-network': 'it reaches no network, not even that of the host itself',
  'no-unix-sockets': 'it reaches no unix socket, neither by path nor by abstract name',
  'fewer-system-calls':
    'the kernel refuses it new processes, sockets, tracing, mounts, namespaces, keys and whatever else Node does not need',
} as const;

export type Protection = keyof typeof protections;

const plain = [
  'empty-environment',
  'no-new-privileges',
  'dies-with-runtime',
  'node-permissions',
  'bounded-resources',
] as const satisfies readonly Protection[];
const user = [...plain, 'own-user', 'bounded-processes', 'no-signals'] as const satisfies readonly Protection[];
const namespaces = [
  ...user,
  'no-processes',
  'no-files',
  'no-network',
  'no-unix-sockets',
  'fewer-system-calls',
] as const satisfies readonly Protection[];

/** What each level claims. A level keeps what the lower ones have. */
export const claims: Readonly<Record<IsolationLevel, readonly Protection[]>> = { namespaces, user, process: plain };

/** The level that a mechanism reaches. */
export const levelOf: Readonly<Record<IsolationMechanism, IsolationLevel>> = {
  bubblewrap: 'namespaces',
  unshare: 'namespaces',
  user: 'user',
  process: 'process',
};

/** What keeps the sandbox's processes in, as `status` shows it. */
export interface Isolation {
  readonly level: IsolationLevel;
  readonly mechanism: IsolationMechanism;
  /** What is in force. */
  readonly protections: readonly Protection[];
  /** What its level has elsewhere, and not in force here. */
  readonly missing: readonly Protection[];
  /** Better mechanisms, and why each is not used. */
  readonly unavailable: readonly { readonly mechanism: IsolationMechanism; readonly reason: string }[];
}
