/** Stable codes of all errors, for callers and for `--json`. */
export const errorCodes = [
  'usage',
  'config-invalid',
  'config-unreadable',
  'untrusted',
  'plugin-unreadable',
  'plugin-digest',
  'plugin-refused',
  'plugin-invalid',
  'plugin-settings',
  'admission-failed',
  'protocol',
  'already-running',
  'unreachable',
  'timeout',
  'journal',
  'runner',
  'isolation',
  'install',
  'closed',
  'handler-failed',
  'refused',
  'forbidden',
  'internal',
] as const;
export type ErrorCode = (typeof errorCodes)[number];

/** Structured values of an error, for programs; the message also contains them in words. */
export type ErrorFields = Readonly<Record<string, string | number | boolean | null>>;

/**
 * The error class of this project. A message states the action, the value, the cause and the remedy: `Cannot <action>
 * '<value>': <what is so>; <what to do>`.
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

/** Returns whether a text, for example from another process, is one of this release's codes. */
export function isErrorCode(code: string): code is ErrorCode {
  return (errorCodes as readonly string[]).includes(code);
}

/** Returns the text of any thrown value, for use inside another message. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
