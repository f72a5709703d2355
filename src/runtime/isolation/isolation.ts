import type { IsolationLevel, IsolationMechanism } from '../../contract/isolation-level.js';

/** The protections around a sandbox process. Probes test each one; docs/sandbox.md contains the same table. */
export const protections = {
  'empty-environment': 'it has no environment variables',
  'no-new-privileges': 'it has no capabilities and cannot gain privileges by executing a program',
  'dies-with-runtime': 'the kernel kills it when the runtime dies',
  'node-permissions': "Node's permission model denies writes, other files, child processes, threads and native code",
  'bounded-resources': 'memory, open files and CPU time are limited; files cannot be written; no core dump',
  'own-user': 'it does not share its user with the runtime, a guest or another runner',
  'bounded-processes': 'the kernel limits its number of processes and threads',
  'no-signals': 'it cannot signal or trace any process of the host',
  'no-processes': 'it cannot see any process of the host',
  'no-files': 'it only sees Node, its libraries and the package, all read-only; there is no /etc, /run, /proc or /dev',
  'no-network': 'it cannot reach any network, not even the loopback interface of the host',
  'no-unix-sockets': 'it cannot reach any unix socket, neither by path nor by abstract name',
  'fewer-system-calls':
    'the kernel denies new processes, sockets, tracing, mounts, namespaces, keys and all else that Node does not need',
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

/** The protections that each level claims. A level includes those of the lower levels. */
export const claims: Readonly<Record<IsolationLevel, readonly Protection[]>> = { namespaces, user, process: plain };

/** The level that a mechanism reaches. */
export const levelOf: Readonly<Record<IsolationMechanism, IsolationLevel>> = {
  bubblewrap: 'namespaces',
  unshare: 'namespaces',
  user: 'user',
  process: 'process',
};

/** The isolation of the sandbox processes, as `status` shows it. */
export interface Isolation {
  readonly level: IsolationLevel;
  readonly mechanism: IsolationMechanism;
  /** Protections in force. */
  readonly protections: readonly Protection[];
  /** Protections that its level claims, but that are not in force on this host. */
  readonly missing: readonly Protection[];
  /** Better mechanisms, and why each one is not used. */
  readonly unavailable: readonly { readonly mechanism: IsolationMechanism; readonly reason: string }[];
}
