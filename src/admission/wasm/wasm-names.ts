import { oneLine } from '../../contract/text.js';
import { refusal } from '../../contract/objection.js';
import type { Objection } from '../../contract/objection.js';

/** Characters of names that compilers write: `hookvisor:hook/log@0.1.0`, `[method]a.b`, `cabi_post_x#y`, `$LT$impl`. */
const plain = /^[A-Za-z0-9_.:/@#<>|,=+$[\]() -]{0,512}$/u;

/**
 * Names of a plugin stand in V8's errors, in reports and in logs, where none may break a line or drive a terminal, and in
 * plans, which are bounded. One objection for each name that is not plain, at most ten.
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
