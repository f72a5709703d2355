import type { Limits } from '../limits.js';

export const backendNames = ['script', 'component', 'extism'] as const;
export type BackendName = (typeof backendNames)[number];

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** What a failure of the handler turns into. */
export type FailurePolicy =
  | { readonly policy: 'fail' }
  | { readonly policy: 'ignore' }
  | { readonly policy: 'fallback'; readonly handler: string };

/** One configured handler, every default filled in. */
export interface HandlerConfig {
  readonly name: string;
  readonly backend: BackendName;
  /** Absolute path of the script or .wasm file. */
  readonly source: string;
  /** Pinned digest, lower-case hex: any other bytes are refused. */
  readonly sha256: string | null;
  /** Trust group: handlers of one group may share a runner process. */
  readonly trust: string;
  readonly settings: { readonly [key: string]: Json };
  readonly failurePolicy: FailurePolicy;
  readonly mode: 'enforce' | 'monitor';
  /** `replace`, and `deny-OPERATION` for the operations whose denial does not simply abort. */
  readonly grants: ReadonlySet<string>;
  readonly limits: Limits;
  /** Largest plug-in file that is looked at, bytes. */
  readonly pluginBytes: number;
  /** How a script is called: `libvirt`: NAME OP SUBOP EXTRA; `rfc`: KIND NAME EVENT QUALIFIER [EXTRA]. */
  readonly arguments: 'libvirt' | 'rfc';
  /** What a script's source is: `file`, or `tree`: a folder whose GUEST/OPERATION/SUBOPERATION/* are run. */
  readonly layout: 'file' | 'tree';
  /** `deny`: a script runs where libvirt's sockets do not exist. */
  readonly libvirtAccess: 'allow' | 'deny';
}

/** How far a plug-in's process is kept apart, best first. */
export const isolationLevels = ['namespaces', 'user', 'process'] as const;
export type IsolationLevel = (typeof isolationLevels)[number];

/** What can keep a plug-in's process apart, best first. */
export const isolationMechanisms = ['bubblewrap', 'unshare', 'user', 'process'] as const;
export type IsolationMechanism = (typeof isolationMechanisms)[number];

/** How the processes of plug-ins are kept apart. */
export interface SandboxSettings {
  /** Below this level the runtime does not start. */
  readonly require: IsolationLevel;
  /** `auto` takes the best mechanism that works here. */
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
  /** Names of handlers, in the order in which they run. */
  readonly handlers: readonly string[];
}

/** How the journal is kept. */
export interface JournalConfig {
  /** Its folder, absolute. */
  readonly dir: string;
  /** Whether secrets are cut out of the documents that it keeps. */
  readonly redact: boolean;
  /** `always`: a record is safe from a crash of the machine before its event is answered; `interval`: soon after. */
  readonly sync: 'always' | 'interval';
  /** Most bytes on disk; the oldest records go first. */
  readonly maxBytes: number;
  /** How long records are kept, milliseconds. */
  readonly maxAgeMs: number;
  /** Size at which another file is begun, bytes. */
  readonly segmentBytes: number;
}

/** A whole configuration, validated. */
export interface Config {
  /** The file it came from, absolute. */
  readonly file: string;
  /** Absolute path of the runtime's socket. */
  readonly socket: string;
  /** The journal; null when `journal: false` turned it off. */
  readonly journal: JournalConfig | null;
  /** Folder of admitted plug-ins, absolute. */
  readonly cache: string;
  readonly sandbox: SandboxSettings;
  /** What all handlers together may take for the start of one guest, milliseconds. */
  readonly budgetMs: number;
  readonly handlers: ReadonlyMap<string, HandlerConfig>;
  readonly routes: readonly Route[];
}
