/** Stable codes of everything that can go wrong, for callers and for `--json`. */
export type ErrorCode =
  | 'usage'
  | 'config-invalid'
  | 'config-unreadable'
  | 'untrusted'
  | 'plugin-unreadable'
  | 'plugin-digest'
  | 'plugin-refused'
  | 'plugin-invalid'
  | 'plugin-settings'
  | 'admission-failed'
  | 'protocol'
  | 'already-running'
  | 'unreachable'
  | 'timeout'
  | 'journal'
  | 'runner'
  | 'isolation'
  | 'install'
  | 'closed'
  | 'handler-failed'
  | 'internal';

/** Values that belong to an error, for machines; the message already says them in words. */
export type ErrorFields = Readonly<Record<string, string | number | boolean | null>>;

/**
 * The error of this project. Its message says which action, which value, what is so and what to do:
 * `Cannot <action> '<value>': <what is so>; <what to do>`.
 */
export class HookvisorError extends Error {
  override readonly name: string = 'HookvisorError';
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, options: { cause?: unknown; fields?: ErrorFields } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : {});
    this.code = code;
    this.fields = options.fields ?? {};
  }
}

/** The text of anything thrown, for use inside another message. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
