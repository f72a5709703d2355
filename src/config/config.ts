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
  /** How a script is called: `libvirt`: NAME OP SUBOP EXTRA; `rfc`: KIND NAME EVENT QUALIFIER [EXTRA]. */
  readonly arguments: 'libvirt' | 'rfc';
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

/** A whole configuration, validated. */
export interface Config {
  /** The file it came from, absolute. */
  readonly file: string;
  /** Absolute path of the runtime's socket. */
  readonly socket: string;
  /** Folder of the journal, absolute; null when `journal: false` turned it off. */
  readonly journal: { readonly dir: string; readonly redact: boolean } | null;
  /** Folder of admitted plugins, absolute. */
  readonly cache: string;
  readonly handlers: ReadonlyMap<string, HandlerConfig>;
  readonly routes: readonly Route[];
}
