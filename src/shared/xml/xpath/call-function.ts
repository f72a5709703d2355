import type { FunctionName } from './expression.js';
import type { Walk } from './axes.js';
import { XPathRefusal } from './refusal.js';
import {
  codePoints,
  concat,
  find,
  normalizeSpace,
  payForString,
  startsWith,
  stringValue,
  substring,
  substringAfter,
  substringBefore,
  translate,
} from './strings.js';
import { isNodeSet, textToNumber, toBoolean, toNumber, toText } from './values.js';
import type { NodeSet, Value } from './values.js';

/** The context of an evaluation: a node, and its position among the nodes of its step, 0 outside a predicate. */
export interface Focus {
  readonly node: number;
  readonly position: number;
  readonly last: number;
}

/** Calls a function of XPath. Its arguments were checked during parsing. */
export function callFunction(walk: Walk, focus: Focus, name: FunctionName, args: readonly Value[]): Value {
  const text = (at: number): string => toText(walk, args[at] ?? [focus.node]);
  const number = (at: number): number => toNumber(walk, args[at] ?? [focus.node]);
  const nodes = (): NodeSet => {
    const [first] = args;
    return first !== undefined && isNodeSet(first) ? first : [focus.node];
  };
  switch (name) {
    case 'last':
    case 'position':
      if (focus.last === 0) throw new XPathRefusal(`${name}() is used outside a predicate; move it between [ and ]`);
      return name === 'last' ? focus.last : focus.position;
    case 'count':
      return nodes().length;
    case 'sum':
      return nodes().reduce((sum, node) => sum + textToNumber(walk, stringValue(walk, node)), 0);
    case 'name':
    case 'local-name':
    case 'namespace-uri':
      return nameOf(walk, name, nodes()[0]);
    case 'string':
      return text(0);
    case 'number':
      return number(0);
    case 'boolean':
      return args[0] !== undefined && toBoolean(args[0]);
    case 'not':
      return args[0] !== undefined && !toBoolean(args[0]);
    case 'true':
    case 'false':
      return name === 'true';
    case 'floor':
      return Math.floor(number(0));
    case 'ceiling':
      return Math.ceil(number(0));
    case 'round':
      return Math.round(number(0));
    case 'concat':
      return concat(
        walk,
        args.map((_, at) => text(at)),
      );
    case 'contains':
      return find(walk, text(0), text(1)) >= 0;
    case 'starts-with':
      return startsWith(walk, text(0), text(1));
    case 'substring-before':
      return substringBefore(walk, text(0), text(1));
    case 'substring-after':
      return substringAfter(walk, text(0), text(1));
    case 'substring':
      return substring(walk, text(0), number(1), args.length > 2 ? number(2) : Infinity);
    case 'string-length':
      return codePoints(walk, text(0));
    case 'normalize-space':
      return normalizeSpace(walk, text(0));
    case 'translate':
      return translate(walk, text(0), [text(1), text(2)]);
  }
}

function nameOf(walk: Walk, name: 'name' | 'local-name' | 'namespace-uri', node: number | undefined): string {
  if (node === undefined) return '';
  const { tree } = walk;
  const namespace = name === 'local-name' ? null : tree.namespace(node);
  const local = name === 'namespace-uri' ? (namespace?.uri ?? '') : tree.localName(node);
  const prefix = name === 'name' ? (namespace?.prefix ?? null) : null;
  const found = prefix === null ? local : `${prefix}:${local}`;
  walk.budget.spend(12);
  payForString(walk, found.length);
  return found;
}
