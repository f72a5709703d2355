import type { BackendName } from '../../contract/backend-name.js';
import type { IsolationLevel, IsolationMechanism } from '../../contract/isolation-level.js';
import type { Limits } from '../../contract/limits.js';

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What happens when a handler fails. */
export type FailurePolicy =
  | { readonly policy: 'fail' }
  | { readonly policy: 'ignore' }
  | { readonly policy: 'fallback'; readonly handler: string };

/** One configured handler, with all defaults. */
export interface HandlerConfig {
  readonly name: string;
  readonly backend: BackendName;
  /** Absolute path of the script or .wasm file. */
  readonly source: string;
  /** Pinned digest in lower-case hex: a file with another digest is refused. */
  readonly sha256: string | null;
  /** Trust group: handlers of one group may share a runner process. */
  readonly trust: string;
  /** A JSON object as text, as the plug-in receives it; large settings are serialized once, outside the runtime. */
  readonly settings: string;
  readonly failurePolicy: FailurePolicy;
  readonly mode: 'enforce' | 'monitor';
  /** `replace`, and `deny-OPERATION` for operations whose denial does more than abort them. */
  readonly grants: ReadonlySet<string>;
  readonly limits: Limits;
  /** Maximum size of the plug-in file, bytes. */
  readonly pluginBytes: number;
  /** Arguments of a script: `libvirt`: NAME OP SUBOP EXTRA; `rfc`: KIND NAME EVENT QUALIFIER [EXTRA]. */
  readonly arguments: 'libvirt' | 'rfc';
  /** The source of a script: `file`, or `tree`: a folder whose GUEST/OPERATION/SUBOPERATION/* are run. */
  readonly layout: 'file' | 'tree';
  /** `deny`: the sockets of libvirt are hidden from the script. */
  readonly libvirtAccess: 'allow' | 'deny';
}

/** How runner processes are isolated. */
export interface SandboxSettings {
  /** The runtime does not start with less than this level. */
  readonly require: IsolationLevel;
  /** `auto` selects the strongest mechanism that works on this host. */
  readonly isolation: 'auto' | IsolationMechanism;
}

/** What a route matches; an absent field matches everything. Names are globs with `*` and `?`. */
export interface RouteMatch {
  readonly kind?: readonly string[];
  readonly driver?: readonly string[];
  readonly name?: readonly string[];
  readonly event?: readonly string[];
  readonly qualifier?: readonly string[];
}

export interface Route {
  readonly match: RouteMatch;
  /** Names of handlers in the order in which they run. */
  readonly handlers: readonly string[];
}

/** How the journal is kept. */
export interface JournalConfig {
  /** Its folder, absolute. */
  readonly dir: string;
  /** Whether secrets are removed from stored documents. */
  readonly redact: boolean;
  /** `always`: a record is on disk before its event is answered; `interval`: soon after. */
  readonly sync: 'always' | 'interval';
  /** Maximum bytes on disk; the oldest records are deleted first. */
  readonly maxBytes: number;
  /** Retention of records, milliseconds. */
  readonly maxAgeMs: number;
  /** Size at which a new file is started, bytes. */
  readonly segmentBytes: number;
  /** The group that may read it, {@link Config.readers}; null: only root. */
  readonly readers: string | null;
}

/** A validated configuration. */
export interface Config {
  /** Absolute path of the configuration file. */
  readonly file: string;
  /** Absolute path of the runtime's socket. */
  readonly socket: string;
  /** The group whose members may look at the runtime and its journal; null: only root. */
  readonly readers: string | null;
  /** The journal; null when `journal: false` turned it off. */
  readonly journal: JournalConfig | null;
  /** Absolute path of the cache of admitted plug-ins. */
  readonly cache: string;
  readonly sandbox: SandboxSettings;
  /** Total time of all handlers for the start of one guest, milliseconds. */
  readonly budgetMs: number;
  readonly handlers: ReadonlyMap<string, HandlerConfig>;
  readonly routes: readonly Route[];
  /** Warnings about probable mistakes. */
  readonly doubts: readonly string[];
}
