import type { IsolationMechanism } from '../../contract/isolation-level.js';
import type { Protection } from './isolation.js';
import type { ResourceLimits } from './rlimits.js';

/** A process to be isolated. */
export interface Confined {
  /** Absolute path of the program, then its arguments. */
  readonly command: readonly string[];
  /** Absolute paths of files and folders that it may read, in addition to system libraries. */
  readonly readable: readonly string[];
  readonly limits: ResourceLimits;
}

/** One variant of a mechanism. */
export interface Mechanism {
  readonly name: IsolationMechanism;
  /** Protections that its level claims, but that this variant lacks. */
  readonly lacks: readonly Protection[];
  /** A system call filter, which its command reads from `filterDescriptor`. */
  readonly filter: Buffer | null;
  /** Returns the complete command line. */
  wrap(confined: Confined): readonly string[];
}

/** The variants of a mechanism, best first, or why it is unavailable. Only a trial shows which variant works. */
export type Ways = readonly [Mechanism, ...Mechanism[]] | { readonly reason: string };
