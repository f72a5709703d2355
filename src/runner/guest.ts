import type { HookCall } from '../contract/event.js';
import type { Limits } from '../contract/limits.js';
import type { Evaluation } from '../contract/outcome.js';
import type { Artefact } from '../contract/artefact.js';

/** What a runner needs to load one handler. */
export interface GuestLoad {
  readonly artefact: Artefact;
  /** The handler's settings as JSON text, always an object. */
  readonly settings: string;
  readonly limits: Limits;
}

/** A plug-in loaded in a runner process. It does not enforce the deadline: the runtime does, by killing the process. */
export interface Guest {
  /** Creates one spare instance; returns false on failure. Never throws. */
  prepare(): Promise<boolean>;
  /** The number of spare instances. */
  readonly warm: number;
  /** Releases spare instances until `keep` remain. */
  shrink(keep: number): void;
  /** Decides one event on a fresh instance. Throws HandlerFailure. */
  evaluate(call: HookCall): Promise<Evaluation>;
  /**
   * Lets the plug-in check its settings. Returns null if it has no objection. Throws HandlerFailure if the check fails.
   */
  validate(): Promise<string | null>;
}

/** Compiles an artefact. Throws HookvisorError `plugin-invalid`. */
export type GuestBackend = (load: GuestLoad) => Promise<Guest>;
