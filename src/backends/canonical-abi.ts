import { isUtf8 } from 'node:buffer';
import type { HookEvent } from '../event.js';
import type { Selection } from '../libvirt/document.js';
import { bounds } from '../limits.js';
import type { LogLevel, Outcome } from '../outcome.js';
import { cut } from './host.js';

/**
 * The layout of wit/ in a plugin's memory, by hand: strings in UTF-8, offsets as the component model lays out records
 * and variants. What lies outside the memory throws RangeError. Source: component-model/design/mvp/CanonicalABI.md.
 */
export interface GuestMemory {
  readonly memory: WebAssembly.Memory;
  /** `cabi_realloc`: asks the plugin for room. */
  readonly realloc: (old: number, oldSize: number, align: number, size: number) => number;
  /** Over the memory's buffer, which is another one after the memory grew. */
  view: DataView;
}

const encoder = new TextEncoder();
/** A text that is not UTF-8 traps, and a byte order mark is a character like any other. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function viewOf(guest: GuestMemory): DataView {
  const { buffer } = guest.memory;
  if (guest.view.buffer !== buffer) guest.view = new DataView(buffer);
  return guest.view;
}

/** Where an empty text is: any aligned address but zero, without asking for room. */
const nowhere = 1;

function storeRange(guest: GuestMemory, at: number, from: number, length: number): void {
  const view = viewOf(guest);
  view.setUint32(at + 4, length, true);
  view.setUint32(at, from, true);
}

/** Writes a text into room of its own, and where it is to `at`. */
export function storeText(guest: GuestMemory, at: number, text: string): void {
  if (text === '') {
    storeRange(guest, at, nowhere, 0);
    return;
  }
  const length = Buffer.byteLength(text);
  const from = guest.realloc(0, 0, 1, length);
  encoder.encodeInto(text, new Uint8Array(guest.memory.buffer, from, length));
  storeRange(guest, at, from, length);
}

function storeOptional(guest: GuestMemory, at: number, text: string | null): void {
  viewOf(guest).setInt8(at, text === null ? 0 : 1);
  if (text !== null) storeText(guest, at + 4, text);
}

/** Writes the record `event` and gives its address. */
export function storeEvent(guest: GuestMemory, event: HookEvent): number {
  const at = guest.realloc(0, 0, 8, 80);
  storeText(guest, at, event.id);
  viewOf(guest).setBigUint64(at + 8, BigInt(event.time), true);
  storeText(guest, at + 16, event.kind);
  storeText(guest, at + 24, event.name);
  storeText(guest, at + 32, event.event);
  storeText(guest, at + 40, event.qualifier);
  storeOptional(guest, at + 48, event.extra);
  storeText(guest, at + 60, event.driver);
  storeOptional(guest, at + 68, event.uuid);
  return at;
}

/** Writes the document, which is known to be UTF-8, as an `option<string>`. */
export function storeDocument(guest: GuestMemory, at: number, document: Buffer | null): void {
  viewOf(guest).setInt8(at, document === null ? 0 : 1);
  if (document === null) return;
  if (document.length === 0) {
    storeRange(guest, at + 4, nowhere, 0);
    return;
  }
  const from = guest.realloc(0, 0, 1, document.length);
  new Uint8Array(guest.memory.buffer, from, document.length).set(document);
  storeRange(guest, at + 4, from, document.length);
}

const selectErrors = { 'no-document': 0, 'not-xml': 1, 'bad-xpath': 2, 'too-large': 3 } as const;

/** Writes a `result<list<string>, select-error>`. */
export function storeSelection(guest: GuestMemory, at: number, selection: Selection): void {
  if ('error' in selection) {
    const { error } = selection;
    viewOf(guest).setInt8(at, 1);
    viewOf(guest).setInt8(at + 4, selectErrors[error.tag]);
    if ('val' in error) storeText(guest, at + 8, error.val);
    return;
  }
  const { ok } = selection;
  viewOf(guest).setInt8(at, 0);
  const list = guest.realloc(0, 0, 4, ok.length * 8);
  ok.forEach((text, place) => {
    storeText(guest, list + place * 8, text);
  });
  storeRange(guest, at + 4, list, ok.length);
}

/** Throws TypeError for what is not UTF-8. */
export function loadText(guest: GuestMemory, from: number, length: number): string {
  return decoder.decode(new Uint8Array(guest.memory.buffer, from, length));
}

function loadTextAt(guest: GuestMemory, at: number): string {
  const view = viewOf(guest);
  return loadText(guest, view.getUint32(at, true), view.getUint32(at + 4, true));
}

const levels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];

/** Throws TypeError for a number that is no level. */
export function loadLevel(value: number): LogLevel {
  const level = levels[value];
  if (level === undefined) throw new TypeError('invalid discriminant specified for Level');
  return level;
}

/** Reads the variant `outcome`. Throws TypeError for what is none. */
export function loadOutcome(guest: GuestMemory, at: number): Outcome {
  const tag = viewOf(guest).getUint8(at);
  if (tag === 0) return { outcome: 'allow' };
  if (tag === 1) return { outcome: 'deny', reason: cut(loadTextAt(guest, at + 4), bounds.reasonChars) };
  if (tag === 2) return { outcome: 'replace', document: loadBytesAt(guest, at + 4) };
  throw new TypeError('invalid variant discriminant for Outcome');
}

/** A copy of a text as bytes, without making a string of it. Throws as loadText does. */
function loadBytesAt(guest: GuestMemory, at: number): Buffer {
  const view = viewOf(guest);
  const bytes = new Uint8Array(guest.memory.buffer, view.getUint32(at, true), view.getUint32(at + 4, true));
  if (!isUtf8(bytes)) decoder.decode(bytes);
  return Buffer.from(bytes);
}

/** Reads a `result<_, string>`: the error, or null. */
export function loadObjection(guest: GuestMemory, at: number): string | null {
  const tag = viewOf(guest).getUint8(at);
  if (tag === 0) return null;
  if (tag === 1) return loadTextAt(guest, at + 4);
  throw new TypeError('invalid variant discriminant for expected');
}
