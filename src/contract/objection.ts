import { HookvisorError } from './errors.js';
import type { ErrorFields } from './errors.js';
import { oneLine } from './text.js';

/** Stable names of the rules for plug-ins, as `hookvisor vet --json` prints them. */
export const vetRules = [
  'format',
  'size',
  'world',
  'import',
  'name',
  'feature',
  'concurrency',
  'structure',
  'memory',
  'table',
  'complexity',
  'types',
] as const;
export type VetRule = (typeof vetRules)[number];

/** One reason not to admit a plug-in. */
export interface Objection {
  readonly rule: VetRule;
  /** `plugin-refused`: a rule of Hookvisor forbids it; `plugin-invalid`: its backend cannot use it. */
  readonly code: 'plugin-refused' | 'plugin-invalid';
  /** `what is so; what to do`. */
  readonly message: string;
  readonly fields: ErrorFields;
}

/** Maximum length of a plug-in's text in a message, characters. */
const longest = 600;

/** Returns an objection for a broken rule: what the plug-in does, and what is allowed. */
export function refusal(rule: VetRule, what: string, allowed: string, fields: ErrorFields = {}): Objection {
  return objection({ rule, code: 'plugin-refused', fields }, what, allowed);
}

/** Returns an objection to a plug-in that its backend, or any backend, cannot run. */
export function unusable(rule: VetRule, what: string, remedy: string, fields: ErrorFields = {}): Objection {
  return objection({ rule, code: 'plugin-invalid', fields }, what, remedy);
}

/** The text may contain names from the plug-in, of any length and with any characters. */
function objection({ rule, code, fields }: Omit<Objection, 'message'>, what: string, remedy: string): Objection {
  const clean: Record<string, ErrorFields[string]> = { rule };
  for (const [key, value] of Object.entries(fields)) {
    clean[key] = typeof value === 'string' ? oneLine(value, longest) : value;
  }
  return { rule, code, message: `${oneLine(what, longest)}; ${remedy}`, fields: clean };
}

/**
 * Checks a count while a plug-in is being read, before a flood of items can fill the memory. Throws HookvisorError
 * `plugin-refused` if the count exceeds the bound.
 */
export function requireAtMost(count: number, bound: number, what: string, rule: VetRule = 'complexity'): void {
  if (count <= bound) return;
  throw objectionError(refusal(rule, `it has ${count} ${what}`, `at most ${bound} are allowed`, { count, bound }));
}

/** Returns the error for an objection. */
export function objectionError({ code, message, fields }: Objection): HookvisorError {
  return new HookvisorError(code, `Cannot admit the plug-in: ${message}`, { fields });
}
