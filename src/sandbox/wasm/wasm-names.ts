import { oneLine } from '../../text.js';
import { refusal } from './objection.js';
import type { Objection } from './objection.js';

/**
 * Characters of names that compilers write: `hookvisor:hook/log@0.1.0`, `[method]a.b`, `cabi_post_x#y`, `$LT$impl`.
 * None of them can end a JavaScript string, template or comment, or begin a substitution.
 */
const plain = /^[A-Za-z0-9_.:/@#<>|,=+$[\]() -]{0,512}$/u;

/** Where it stands as a key in JavaScript, it is no name but an object's prototype. */
const prototype = '__proto__';

/**
 * Names reach code that jco generates, so every name in a plugin is held to a strict set of characters before jco sees
 * it. One objection for each name that is not, at most ten.
 */
export function checkNames(names: Iterable<string>): Objection[] {
  const objections: Objection[] = [];
  for (const name of names) {
    if (plain.test(name) && !name.includes('//') && name !== prototype) continue;
    const shown = name.length > 512 ? `a name of ${name.length} characters` : `the name '${oneLine(name, 80)}'`;
    const characters = 'names have at most 512 letters, digits and _ . : / @ # < > | , = + $ [ ] ( ) - or space';
    const rule = name === prototype ? 'no name may be that' : characters;
    objections.push(refusal('name', `it uses ${shown}`, rule));
    if (objections.length === 10) break;
  }
  return objections;
}
