import type { Walk } from './axes.js';
import { numberOf, textOfNumber } from './numbers.js';
import { payForChars, stringValue } from './strings.js';

/** Nodes by number, and thus in document order. */
export type NodeSet = readonly number[];
export type Value = NodeSet | number | string | boolean;

export const isNodeSet = (value: Value): value is NodeSet => typeof value === 'object';

export function toText(walk: Walk, value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') {
    walk.budget.spend(Math.abs(value) < 0x7fffffff && Number.isInteger(value) ? 20 : 300);
    return textOfNumber(value);
  }
  if (typeof value === 'boolean') return String(value);
  const [first] = value;
  return first === undefined ? '' : stringValue(walk, first);
}

export function toNumber(walk: Walk, value: Value): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'boolean') return value ? 1 : 0;
  return textToNumber(walk, toText(walk, value));
}

export function textToNumber(walk: Pick<Walk, 'budget'>, text: string): number {
  walk.budget.spend(20);
  payForChars(walk, 4 * text.length);
  return numberOf(text);
}

export function toBoolean(value: Value): boolean {
  if (isNodeSet(value)) return value.length > 0;
  return typeof value === 'number' ? value !== 0 && !Number.isNaN(value) : value !== '' && value !== false;
}
