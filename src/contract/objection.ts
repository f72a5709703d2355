import { HookvisorError } from './errors.js';
import type { ErrorFields } from './errors.js';
import { oneLine } from './text.js';

/** Stable names of the rules that a plugin can break, as `hookvisor vet --json` gives them. */
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

/** One reason not to admit a plugin. */
export interface Objection {
  readonly rule: VetRule;
  /** `plugin-refused`: one of our rules forbids it; `plugin-invalid`: it is not what its backend takes. */
  readonly code: 'plugin-refused' | 'plugin-invalid';
  /** `what is so; what to do`. */
  readonly message: string;
  readonly fields: ErrorFields;
}

/** Longest text of a plugin's that is repeated, characters. */
const longest = 600;

/** An objection by a rule of ours: what the plugin does, and what is allowed. */
export function refusal(rule: VetRule, what: string, allowed: string, fields: ErrorFields = {}): Objection {
  return objection({ rule, code: 'plugin-refused', fields }, what, allowed);
}

/** An objection to a plugin that no backend could run, or not this one. */
export function unusable(rule: VetRule, what: string, remedy: string, fields: ErrorFields = {}): Objection {
  return objection({ rule, code: 'plugin-invalid', fields }, what, remedy);
}

/** Names in it are the plugin's: of any length, with any characters. */
function objection({ rule, code, fields }: Omit<Objection, 'message'>, what: string, remedy: string): Objection {
  const clean: Record<string, ErrorFields[string]> = { rule };
  for (const [key, value] of Object.entries(fields)) {
    clean[key] = typeof value === 'string' ? oneLine(value, longest) : value;
  }
  return { rule, code, message: `${oneLine(what, longest)}; ${remedy}`, fields: clean };
}

/**
 * For what is counted while a plugin is read: a flood of it must not fill the memory first. Throws HookvisorError
 * `plugin-refused` where there is more than allowed.
 */
export function requireAtMost(count: number, bound: number, what: string, rule: VetRule = 'complexity'): void {
  if (count <= bound) return;
  throw objectionError(refusal(rule, `it has ${count} ${what}`, `at most ${bound} are allowed`, { count, bound }));
}

/** The error that an objection is thrown as. */
export function objectionError({ code, message, fields }: Objection): HookvisorError {
  return new HookvisorError(code, `Cannot admit the plugin: ${message}`, { fields });
}
