/** The limits of one handler for one event. */
export interface Limits {
  /** Wall-clock time of one evaluation, milliseconds. */
  readonly deadlineMs: number;
  /** Steps that a plug-in may execute, counted identically on every machine. */
  readonly fuel: number;
  /** Maximum size of all linear memories of a plug-in together, bytes. */
  readonly memoryBytes: number;
}

/** The limits that apply if the configuration sets none. */
export const defaultLimits: Limits = { deadlineMs: 2_000, fuel: 50_000_000, memoryBytes: 64 * 1024 * 1024 };

/**
 * Default maximum size of a plug-in file, bytes: several times the output of the common compilers (C 6 KB, QuickJS 1.1
 * MB, Go 2.7 MB), and still admitted with little time and memory.
 */
export const defaultPluginBytes = 16 * 1024 * 1024;

/** Size of a WebAssembly page, bytes. */
export const pageBytes = 65_536;

/** Fixed bounds, which are not configurable. */
export const bounds = {
  /** Maximum size of a frame on the runtime's socket or a runner's pipe, bytes. */
  frameBytes: 64 * 1024 * 1024,
  /** Maximum size of a document for a plug-in, bytes. Scripts receive documents of any size. */
  documentBytes: 16 * 1024 * 1024,
  /** Maximum value of `pluginSize` in the configuration, bytes. */
  pluginBytes: 64 * 1024 * 1024,
  /** Maximum length of the reason that is kept for a denial or failure, characters. */
  reasonChars: 1_024,
  /** Maximum number of log messages that are kept for one event. */
  logLines: 100,
  /** Maximum length of a log message that is kept, characters. */
  logChars: 1_024,
  /** Maximum size of a script's stderr that is kept, bytes. */
  stderrBytes: 64 * 1024,
  /** Maximum size of a configuration file, bytes; also of its values after alias expansion, characters. */
  configBytes: 4 * 1024 * 1024,
  /**
   * Maximum number of tokens in a YAML file, and of values after alias expansion. 10,000 handlers with a route each
   * need 370,000 tokens.
   */
  yamlTokens: 400_000,
  /** Maximum number of aliases. An alias stands for its whole anchor, so a few can expand to gigabytes. */
  yamlAliases: 100,
  /** Maximum nesting depth. A configuration needs a few levels; settings may add some. */
  yamlLevels: 64,
  /** Limits of a reload when it reads the configuration: milliseconds, and MiB of V8's heap. */
  configReadMs: 60_000,
  configHeapMiB: 1_024,
  /** Maximum number of handlers in a chain of fallbacks. */
  fallbackChain: 16,
  /** Maximum number of problems that are listed for a file; the others are counted. */
  listedProblems: 100,
  /** Maximum number of strings, and of their bytes together, in the result of one `select`. */
  selectNodes: 10_000,
  selectBytes: 4 * 1024 * 1024,
  /** Maximum fuel for one `select`, even if the plug-in has more: 25 ms, or 50 ms on a machine half as fast. */
  selectSteps: 2_500_000,
} as const;
