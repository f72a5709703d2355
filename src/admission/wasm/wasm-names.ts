import { oneLine } from '../../contract/text.js';
import { refusal } from '../../contract/objection.js';
import type { Objection } from '../../contract/objection.js';

/** Characters of names that compilers emit: `hookvisor:hook/log@0.1.0`, `[method]a.b`, `cabi_post_x#y`, `$LT$impl`. */
const plain = /^[A-Za-z0-9_.:/@#<>|,=+$[\]() -]{0,512}$/u;

/**
 * Returns one objection for each name with other characters, at most ten. Names reach V8's errors, reports and logs,
 * where they must not break a line or control a terminal, and plans, whose size is bounded.
 */
export function checkNames(names: Iterable<string>): Objection[] {
  const objections: Objection[] = [];
  for (const name of names) {
    if (plain.test(name)) continue;
    const shown = name.length > 512 ? `a name of ${name.length} characters` : `the name '${oneLine(name, 80)}'`;
    const characters = 'names have at most 512 letters, digits and _ . : / @ # < > | , = + $ [ ] ( ) - or space';
    objections.push(refusal('name', `it uses ${shown}`, characters));
    if (objections.length === 10) break;
  }
  return objections;
}
