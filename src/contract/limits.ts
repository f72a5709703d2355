/** What one handler may use for one event. */
export interface Limits {
  /** Wall-clock time of one evaluation, milliseconds. */
  readonly deadlineMs: number;
  /** Executed steps of a plugin, counted the same way on every machine. */
  readonly fuel: number;
  /** Largest size of all linear memories of a plugin together, bytes. */
  readonly memoryBytes: number;
}

/** Used where the configuration says nothing. */
export const defaultLimits: Limits = { deadlineMs: 2_000, fuel: 50_000_000, memoryBytes: 64 * 1024 * 1024 };

/**
 * Largest plugin file where the configuration says nothing, bytes: several times what the compilers at hand write (C 6 KB,
 * QuickJS 1.1 MB, Go 2.7 MB), and an admission of it still takes little time and memory.
 */
export const defaultPluginBytes = 16 * 1024 * 1024;

/** A page, in which WebAssembly counts memories, bytes. */
export const pageBytes = 65_536;

/** Bounds that are not configurable, in one place. */
export const bounds = {
  /** Largest frame on the runtime's socket or a runner's pipe, bytes. */
  frameBytes: 64 * 1024 * 1024,
  /** Largest document handed to a plugin, bytes. Scripts get any size. */
  documentBytes: 16 * 1024 * 1024,
  /** Largest plugin file that the configuration may allow, bytes. */
  pluginBytes: 64 * 1024 * 1024,
  /** Longest reason kept of a denial or failure, characters. */
  reasonChars: 1_024,
  /** Log messages kept of one event. */
  logLines: 100,
  /** Longest log message kept, characters. */
  logChars: 1_024,
  /** Most bytes kept of a script's stderr. */
  stderrBytes: 64 * 1024,
  /** Largest configuration file, bytes; also what its values may come to once aliases are expanded, characters. */
  configBytes: 4 * 1024 * 1024,
  /** Most tokens of a YAML file, and most values once aliases are expanded. 10,000 handlers with a route each take 370,000 tokens. */
  yamlTokens: 400_000,
  /** An alias stands for all of its anchor: a few can expand to gigabytes. */
  yamlAliases: 100,
  /** A configuration is a few levels deep; settings may add some. */
  yamlLevels: 64,
  /** What a reload may take to read the configuration, milliseconds, and MiB of V8's heap. */
  configReadMs: 60_000,
  configHeapMiB: 1_024,
  /** Most handlers in a chain of fallbacks. */
  fallbackChain: 16,
  /** Most problems of a file that are listed; the others are counted. */
  listedProblems: 100,
  /** Most strings, and most bytes of them together, that one `select` answers. */
  selectNodes: 10_000,
  selectBytes: 4 * 1024 * 1024,
  /** Steps of fuel that one `select` may take at most, however many are left: 25 ms, or 50 on a machine half as fast. */
  selectSteps: 2_500_000,
} as const;
