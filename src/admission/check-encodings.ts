import type { StringEncoding } from './wasm/component-definitions.js';
import type { Border } from './wasm/component-link.js';
import { refusal } from '../contract/objection.js';
import type { Objection } from '../contract/objection.js';

/**
 * Strings go to the host and back in UTF-8 or UTF-16, and between components inside a plug-in in UTF-8: jco-transpile
 * knows no other way, or gets it wrong. `border` is null for a component that cannot be followed.
 */
export function checkEncodings(all: ReadonlySet<StringEncoding>, border: Border | null): Objection[] {
  return [
    ...(all.has('latin1+utf16')
      ? [objection('latin1+utf16', '', 'build it with string-encoding=utf8, or string-encoding=utf16')]
      : []),
    ...(border?.passed.has('utf16') === true
      ? [objection('utf16', ' from one component inside it to another', 'build all of them with string-encoding=utf8')]
      : []),
  ];
}

function objection(encoding: StringEncoding, where: string, remedy: string): Objection {
  return refusal('feature', `it passes strings as ${encoding}${where}`, remedy, { feature: encoding });
}
