import { HookvisorError } from '../errors.js';
import type { ErrorFields } from '../errors.js';

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

/** An objection by a rule of ours: what the plugin does, and what is allowed. */
export function refusal(rule: VetRule, what: string, allowed: string, fields: ErrorFields = {}): Objection {
  return { rule, code: 'plugin-refused', message: `${what}; ${allowed}`, fields: { rule, ...fields } };
}

/** An objection to a plugin that no backend could run, or not this one. */
export function unusable(rule: VetRule, what: string, remedy: string, fields: ErrorFields = {}): Objection {
  return { rule, code: 'plugin-invalid', message: `${what}; ${remedy}`, fields: { rule, ...fields } };
}

/** The error that an objection is thrown as. */
export function objectionError({ code, message, fields }: Objection): HookvisorError {
  return new HookvisorError(code, `Cannot admit the plugin: ${message}`, { fields });
}
