import type { IsolationMechanism } from '../../contract/isolation-level.js';
import type { Protection } from './isolation.js';
import type { ResourceLimits } from './rlimits.js';

/** A process that is to be started apart. */
export interface Confined {
  /** Absolute path of the program, and its arguments. */
  readonly command: readonly string[];
  /** Absolute paths of files and folders that it may read, besides the system's libraries. */
  readonly readable: readonly string[];
  readonly limits: ResourceLimits;
}

/** One way to start a process apart. */
export interface Mechanism {
  readonly name: IsolationMechanism;
  /** What its level claims and this way of it does not keep. */
  readonly lacks: readonly Protection[];
  /** A filter of system calls, which its command line reads from `filterDescriptor`. */
  readonly filter: Buffer | null;
  /** The whole command line. */
  wrap(confined: Confined): readonly string[];
}

/** The ways of one mechanism, best first, or why there is none at all here. Which of them works, only a try can tell. */
export type Ways = readonly [Mechanism, ...Mechanism[]] | { readonly reason: string };
