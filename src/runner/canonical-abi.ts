import type { HookEvent } from '../contract/event.js';
import type { Selection } from '../shared/xml/selection.js';
import { bounds } from '../contract/limits.js';
import { logLevels } from '../contract/outcome.js';
import type { LogLevel, Outcome } from '../contract/outcome.js';
import { bytesAt, placeOf, requireInside, roomFor, viewOf } from './guest-memory.js';
import type { GuestMemory, Layout } from './guest-memory.js';
import { encodeUtf8, loadBeginning, loadUtf8, textAt, unitBytes, unitsOf, writeText } from './guest-text.js';
import { cut } from './host.js';

/*
 * The memory layout of the types in wit/, written by hand: offsets are those of the component model for records and
 * variants. A misaligned address traps; an address outside the memory throws RangeError. Source:
 * component-model/design/mvp/CanonicalABI.md.
 */

const eventLayout: Layout = { size: 80, align: 8 };
/** The layout shared by `outcome`, `result<_, string>` and `option<string>`. */
const variantLayout: Layout = { size: 12, align: 4 };
const selectionLayout: Layout = { size: 16, align: 4 };
const textLayout: Layout = { size: 8, align: 4 };

function storeRange(guest: GuestMemory, at: number, from: number, length: number): void {
  const view = viewOf(guest);
  view.setUint32(at + 4, length, true);
  view.setUint32(at, from, true);
}

/** The address of an empty text: any aligned address except zero is valid, so no memory is allocated. */
function storeNothing(guest: GuestMemory, at: number): void {
  storeRange(guest, at, unitBytes[guest.encoding], 0);
}

/** Writes a text into newly allocated memory, and its address and length to `at`. */
function storeText(guest: GuestMemory, at: number, text: string): void {
  if (text === '') {
    storeNothing(guest, at);
    return;
  }
  const { encoding } = guest;
  const units = unitsOf(text, encoding);
  const { from, room } = roomForText(guest, units);
  writeText(text, encoding, room);
  storeRange(guest, at, from, units);
}

function roomForText(guest: GuestMemory, units: number): { from: number; room: Uint8Array } {
  const align = unitBytes[guest.encoding];
  const size = units * align;
  const from = roomFor(guest, { size, align });
  return { from, room: bytesAt(guest.memory, from, size) };
}

function storeOptional(guest: GuestMemory, at: number, text: string | null): void {
  viewOf(guest).setInt8(at, text === null ? 0 : 1);
  if (text !== null) storeText(guest, at + 4, text);
}

/** Writes the record `event` and returns its address. */
export function storeEvent(guest: GuestMemory, event: HookEvent): number {
  const at = roomFor(guest, eventLayout);
  storeText(guest, at, event.id);
  viewOf(guest).setBigUint64(at + 8, BigInt(event.time), true);
  storeText(guest, at + 16, event.kind);
  storeText(guest, at + 24, event.name);
  storeText(guest, at + 32, event.event);
  storeText(guest, at + 40, event.qualifier);
  storeOptional(guest, at + 48, event.extra);
  storeText(guest, at + 60, event.driver);
  storeOptional(guest, at + 68, event.uuid);
  requireInside(guest, at, eventLayout);
  return at;
}

/** Writes the settings, a `string`, to the address that the plug-in passed. */
export function storeSettings(guest: GuestMemory, pointer: number, settings: string): void {
  storeText(guest, placeOf(pointer, textLayout), settings);
}

/** Writes the document as an `option<string>`. The document is already known to be UTF-8. */
export function storeDocument(guest: GuestMemory, pointer: number, document: Buffer | null): void {
  const at = placeOf(pointer, variantLayout);
  viewOf(guest).setInt8(at, document === null ? 0 : 1);
  if (document !== null && document.length > 0) {
    const text = encodeUtf8(document, guest.encoding);
    const units = text.length / unitBytes[guest.encoding];
    const { from, room } = roomForText(guest, units);
    room.set(text);
    storeRange(guest, at + 4, from, units);
  } else if (document !== null) {
    storeNothing(guest, at + 4);
  }
  requireInside(guest, at, variantLayout);
}

const selectErrors = { 'no-document': 0, 'not-xml': 1, 'bad-xpath': 2, 'too-large': 3 } as const;

/** Writes a `result<list<string>, select-error>`. */
export function storeSelection(guest: GuestMemory, pointer: number, selection: Selection): void {
  const at = placeOf(pointer, selectionLayout);
  if ('error' in selection) {
    const { error } = selection;
    viewOf(guest).setInt8(at, 1);
    viewOf(guest).setInt8(at + 4, selectErrors[error.tag]);
    if ('val' in error) storeText(guest, at + 8, error.val);
  } else {
    viewOf(guest).setInt8(at, 0);
    storeRange(guest, at + 4, storeTexts(guest, selection.ok), selection.ok.length);
  }
  requireInside(guest, at, selectionLayout);
}

/** Writes a `list<string>` into newly allocated memory and returns its address. */
function storeTexts(guest: GuestMemory, texts: readonly string[]): number {
  const layout = { size: texts.length * textLayout.size, align: textLayout.align };
  const list = roomFor(guest, layout);
  texts.forEach((text, place) => {
    storeText(guest, list + place * textLayout.size, text);
  });
  requireInside(guest, list, layout);
  return list;
}

/** Returns the log level of a discriminant. Throws TypeError for an unknown one. */
export function loadLevel(value: number): LogLevel {
  const level = logLevels[value];
  if (level === undefined) throw new TypeError('invalid discriminant specified for Level');
  return level;
}

/** Reads the variant `outcome`. Throws TypeError for an unknown discriminant. */
export function loadOutcome(guest: GuestMemory, pointer: number): Outcome {
  const at = placeOf(pointer, variantLayout);
  const tag = viewOf(guest).getUint8(at);
  requireInside(guest, at, variantLayout);
  if (tag === 0) return { outcome: 'allow' };
  if (tag === 1) return { outcome: 'deny', reason: loadReason(guest, at + 4) };
  if (tag === 2) return { outcome: 'replace', document: loadUtf8(rangeAt(guest, at + 4), guest.encoding) };
  throw new TypeError('invalid variant discriminant for Outcome');
}

/** Reads a `result<_, string>`. Returns the error, or null. */
export function loadObjection(guest: GuestMemory, pointer: number): string | null {
  const at = placeOf(pointer, variantLayout);
  const tag = viewOf(guest).getUint8(at);
  requireInside(guest, at, variantLayout);
  if (tag === 0) return null;
  if (tag === 1) return loadReason(guest, at + 4);
  throw new TypeError('invalid variant discriminant for expected');
}

/** Reads as much of a text as is kept of a reason. */
function loadReason(guest: GuestMemory, at: number): string {
  return cut(loadBeginning(rangeAt(guest, at), guest.encoding, bounds.reasonChars), bounds.reasonChars);
}

function rangeAt(guest: GuestMemory, at: number): Uint8Array {
  const view = viewOf(guest);
  return textAt(guest, view.getUint32(at, true), view.getUint32(at + 4, true));
}
