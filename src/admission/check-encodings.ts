import type { StringEncoding } from './wasm/component-definitions.js';
import type { Border } from './wasm/component-link.js';
import { refusal } from '../contract/objection.js';
import type { Objection } from '../contract/objection.js';

/**
 * Checks string encodings: UTF-8 or UTF-16 between host and plug-in, UTF-8 between components inside a plug-in. The
 * runner supports no others. `border` is null for a component that cannot be followed.
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
