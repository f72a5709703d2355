import { describe, expect, it } from 'vitest';
import { loadObjection, loadOutcome, storeDocument, storeEvent } from '../../src/runner/canonical-abi.js';
import { storeSelection, storeSettings } from '../../src/runner/canonical-abi.js';
import { bytesAt } from '../../src/runner/guest-memory.js';
import type { GuestMemory } from '../../src/runner/guest-memory.js';
import { loadBeginning } from '../../src/runner/guest-text.js';
import { cut } from '../../src/runner/host.js';
import { bounds } from '../../src/contract/limits.js';
import { hookCall } from '../support/plugins.js';

const page = 65_536;

/** A memory whose owner gives room from 1024 on, rounded up to 8; `realloc` may do otherwise. */
function guestOf(pages = 1, realloc?: GuestMemory['realloc']): GuestMemory {
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65_536 });
  let free = 1_024;
  const give = (_old: number, _oldSize: number, _align: number, size: number): number => {
    const start = (free + 7) & -8;
    free = start + size;
    return start;
  };
  return { memory, encoding: 'utf8', realloc: realloc ?? give, view: new DataView(memory.buffer) };
}

const viewOf = ({ memory }: GuestMemory): DataView => new DataView(memory.buffer);
/** An address as a core module gives it to JavaScript. */
const signed = (address: number): number => address | 0;

function putOutcome(guest: GuestMemory, at: number, [tag, from, length]: readonly [number, number, number]): void {
  viewOf(guest).setUint8(at, tag);
  viewOf(guest).setUint32(at + 4, from, true);
  viewOf(guest).setUint32(at + 8, length, true);
}

/** The text whose place and length stand at an address. */
function textAt(guest: GuestMemory, at: number): string {
  const view = viewOf(guest);
  return Buffer.from(bytesAt(guest.memory, view.getUint32(at, true), view.getUint32(at + 4, true))).toString();
}

describe('what is written for a plugin', () => {
  it('lies where the component model says, while each request for room makes the memory grow', () => {
    const growing = guestOf();
    const { realloc } = growing;
    const guest = {
      ...growing,
      realloc: (...words: Parameters<typeof realloc>) => {
        growing.memory.grow(1);
        return realloc(...words);
      },
    };
    const { event } = hookCall(null, { name: 'a \u20ac', extra: 'more', uuid: null, time: 2 ** 40 });
    const at = storeEvent(guest, event);
    const view = viewOf(guest);
    expect(at % 8).toBe(0);
    expect([0, 16, 24, 32, 40, 52, 60].map((offset) => textAt(guest, at + offset))).toEqual([
      ...[event.id, event.kind, event.name, event.event, event.qualifier, 'more', event.driver],
    ]);
    expect([view.getBigUint64(at + 8, true), view.getUint8(at + 48), view.getUint8(at + 68)]).toEqual([
      2n ** 40n,
      1,
      0,
    ]);
    storeSelection(guest, 16, { ok: ['one', '', 'three'] });
    const list = viewOf(guest).getUint32(20, true);
    expect([0, 8, 16].map((offset) => textAt(guest, list + offset))).toEqual(['one', '', 'three']);
    expect(viewOf(guest).getUint32(24, true)).toBe(3);
    storeDocument(guest, 32, Buffer.from('<a/>'));
    expect([viewOf(guest).getUint8(32), textAt(guest, 36)]).toEqual([1, '<a/>']);
  });

  it.each([
    ['an event', (guest: GuestMemory) => storeEvent(guest, hookCall().event)],
    [
      'a list',
      (guest: GuestMemory) => {
        storeSelection(guest, 16, { ok: ['a'] });
      },
    ],
    [
      'settings',
      (guest: GuestMemory) => {
        storeSettings(guest, 18, '{}');
      },
    ],
    [
      'a document',
      (guest: GuestMemory) => {
        storeDocument(guest, 17, Buffer.from('<a/>'));
      },
    ],
    [
      'a selection',
      (guest: GuestMemory) => {
        storeSelection(guest, 17, { ok: [] });
      },
    ],
  ])('traps where %s may not lie: the place is not aligned', (_, store) => {
    const guest = guestOf(1, () => 1_025);
    expect(() => {
      store(guest);
    }).toThrow(new WebAssembly.RuntimeError('wasm trap: unaligned pointer'));
  });

  it.each<[string, (guest: GuestMemory, at: number) => void, number]>([
    [
      'a document that is none',
      (guest, at) => {
        storeDocument(guest, at, null);
      },
      12,
    ],
    [
      'an empty document',
      (guest, at) => {
        storeDocument(guest, at, Buffer.alloc(0));
      },
      12,
    ],
    [
      'the lack of a document',
      (guest, at) => {
        storeSelection(guest, at, { error: { tag: 'no-document' } });
      },
      16,
    ],
    [
      'an empty list',
      (guest, at) => {
        storeSelection(guest, at, { ok: [] });
      },
      16,
    ],
    [
      'empty settings',
      (guest, at) => {
        storeSettings(guest, at, '');
      },
      8,
    ],
  ])('does not fit in part: %s', (_, store, size) => {
    const guest = guestOf();
    expect(() => {
      store(guest, page - size);
    }).not.toThrow();
    for (const at of [page - size + 4, page - 4, page, signed(2 ** 32 - 4)]) {
      expect(() => {
        store(guest, at);
      }).toThrow(RangeError);
    }
  });

  it('does not fit in part: an event, a list, and each text', () => {
    const event = () =>
      storeEvent(
        guestOf(1, () => page - 72),
        hookCall().event,
      );
    expect(event).toThrow(RangeError);
    const { realloc } = guestOf();
    const lists = (at: number) => guestOf(1, (...words) => (words[2] === 4 ? at : realloc(...words)));
    expect(() => {
      storeSelection(lists(page - 8), 16, { ok: ['a'] });
    }).not.toThrow();
    expect(() => {
      storeSelection(lists(page - 4), 16, { ok: [''] });
    }).toThrow(RangeError);
    expect(() => {
      storeSelection(lists(page + 8), 16, { ok: [] });
    }).toThrow(RangeError);
    const texts = (at: number) => () => {
      storeSettings(
        guestOf(1, () => at),
        16,
        '{}',
      );
    };
    expect(texts(page - 2)).not.toThrow();
    for (const at of [page - 1, page, 2 ** 31 - 1, -1, signed(2 ** 31)]) expect(texts(at)).toThrow(RangeError);
  });
});

describe('what a plugin answers', () => {
  it('may lie above two gigabytes, whose addresses look negative', () => {
    const guest = guestOf(40_000);
    const at = 2 ** 31 + 1_024;
    putOutcome(guest, at, [1, at + 16, 3]);
    bytesAt(guest.memory, at + 16, 3).set(Buffer.from('far'));
    expect(loadOutcome(guest, signed(at))).toEqual({ outcome: 'deny', reason: 'far' });
    storeSettings(guest, signed(at), '{}');
    expect(textAt(guest, at)).toBe('{}');
    const far = { ...guest, realloc: () => signed(at + 64) };
    storeDocument(far, 16, Buffer.from('<far/>'));
    expect(textAt(far, 20)).toBe('<far/>');
  });

  it('traps where it may not lie, and has to be in memory as a whole', () => {
    const guest = guestOf();
    const unaligned = new WebAssembly.RuntimeError('wasm trap: unaligned pointer');
    for (const load of [loadOutcome, loadObjection]) {
      expect(() => load(guest, 2)).toThrow(unaligned);
      expect(() => load(guest, page - 12)).not.toThrow();
      for (const at of [page - 8, page - 4, page, -4, signed(2 ** 31)])
        expect(() => load(guest, at)).toThrow(RangeError);
    }
  });

  it.each([0, 1, 2, 3])(
    'is nothing else by a discriminant above the last, and by those up to it what it says (%i)',
    (tag) => {
      const guest = guestOf();
      putOutcome(guest, 0, [tag, 0, 0]);
      if (tag === 3) expect(() => loadOutcome(guest, 0)).toThrow(TypeError);
      else expect(loadOutcome(guest, 0).outcome).toBe(['allow', 'deny', 'replace'][tag]);
      if (tag > 1) expect(() => loadObjection(guest, 0)).toThrow(TypeError);
      else expect(loadObjection(guest, 0)).toBe(tag === 0 ? null : '');
    },
  );

  it('may be a reason longer than any string, of which the beginning is kept', () => {
    const guest = guestOf(9_000);
    const length = 2 ** 29 + 1_024;
    putOutcome(guest, 0, [1, 64, length]);
    expect(loadOutcome(guest, 0)).toEqual({ outcome: 'deny', reason: '\0'.repeat(bounds.reasonChars) });
    bytesAt(guest.memory, 64 + length - 1, 1).set([0xff]);
    expect(() => loadOutcome(guest, 0)).toThrow(expect.objectContaining({ code: 'ERR_ENCODING_INVALID_ENCODED_DATA' }));
  });

  it('is cut where all of it, cut as a string, would be', () => {
    for (const character of ['a', '\u00e9', '\u20ac', '\ufeff', '\u{1f600}', 'a\u{1f600}\u20ac']) {
      for (let before = 0; before < 4; before += 1) {
        const text = 'b'.repeat(before) + character.repeat(100);
        for (const encoding of ['utf8', 'utf16'] as const) {
          const beginning = loadBeginning(Buffer.from(text, encoding === 'utf8' ? 'utf8' : 'utf16le'), encoding, 20);
          expect(text.startsWith(beginning) && beginning.length <= 63).toBe(true);
          expect(cut(beginning, 20)).toBe(cut(text, 20));
        }
      }
    }
    expect(loadBeginning(Buffer.from('\ufeffshort'), 'utf8', 20)).toBe('\ufeffshort');
    expect(() => loadBeginning(Buffer.from([0xe2, 0x82]), 'utf8', 20)).toThrow(TypeError);
    for (const half of ['\ud800', 'a\ud800b', '\udc00', '\ud800\ud800\udc00', '\ud83d\ude00\udc00']) {
      expect(() => loadBeginning(Buffer.from(half, 'utf16le'), 'utf16', 20)).toThrow(TypeError);
    }
  });
});
