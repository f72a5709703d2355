import type { HookCall } from '../contract/event.js';
import type { Limits } from '../contract/limits.js';
import type { Evaluation } from '../contract/outcome.js';
import type { Artefact } from '../contract/artefact.js';

/** What a runner is given to load one handler. */
export interface GuestLoad {
  readonly artefact: Artefact;
  /** The handler's settings as JSON text, always an object. */
  readonly settings: string;
  readonly limits: Limits;
}

/**
 * A plugin loaded in a runner process. It has no clock of its own: the deadline is kept from outside, by killing the
 * process.
 */
export interface Guest {
  /** Makes one instance ahead of time; false when it could not. Never throws. */
  prepare(): Promise<boolean>;
  /** Instances at hand. */
  readonly warm: number;
  /** Lets instances go until `keep` are left. */
  shrink(keep: number): void;
  /** Decides one event on a fresh instance, or throws HandlerFailure. */
  evaluate(call: HookCall): Promise<Evaluation>;
  /** Lets the plugin check its settings: null when it has no objection. Throws HandlerFailure when it cannot. */
  validate(): Promise<string | null>;
}

/** Compiles an artefact. Throws HookvisorError `plugin-invalid`. */
export type GuestBackend = (load: GuestLoad) => Promise<Guest>;
