import fc from 'fast-check';

/** One change to a file. Places are parts of its length, in millionths, so that they survive a change of the length. */
export interface Mutation {
  readonly kind: 'flip' | 'set' | 'insert' | 'delete' | 'copy' | 'truncate' | 'length' | 'repeat';
  readonly at: number;
  readonly from: number;
  readonly size: number;
  readonly value: number;
}

const million = 1_000_000;

const mutation: fc.Arbitrary<Mutation> = fc.record({
  kind: fc.constantFrom('flip', 'set', 'insert', 'delete', 'copy', 'truncate', 'length', 'repeat'),
  at: fc.nat(million - 1),
  from: fc.nat(million - 1),
  size: fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 400 })),
  value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff, 0xfc, 0xfd, 0x0b), fc.nat(255)),
});

/** A few changes. */
export const mutations = fc.array(mutation, { minLength: 1, maxLength: 5 });

export function mutate(bytes: Buffer, changes: readonly Mutation[]): Buffer {
  return changes.reduce<Buffer>(apply, bytes);
}

function apply(bytes: Buffer, { kind, at, from, size, value }: Mutation): Buffer {
  const place = Math.floor((at * bytes.length) / million);
  const other = Math.floor((from * bytes.length) / million);
  const before = bytes.subarray(0, place);
  const piece = bytes.subarray(other, other + size);
  switch (kind) {
    case 'flip':
      return Buffer.concat([
        before,
        Buffer.from([(bytes[place] ?? 0) ^ (1 << (value % 8))]),
        bytes.subarray(place + 1),
      ]);
    case 'set':
      return Buffer.concat([before, Buffer.from([value]), bytes.subarray(place + 1)]);
    case 'insert':
      return Buffer.concat([before, piece, bytes.subarray(place)]);
    case 'delete':
      return Buffer.concat([before, bytes.subarray(place + size)]);
    case 'copy':
      return Buffer.concat([before, piece, bytes.subarray(place + piece.length)]);
    case 'truncate':
      return Buffer.from(before);
    case 'length':
      // The longest form of a number in WebAssembly: huge, and not minimal.
      return Buffer.concat([before, Buffer.from([value | 0x80, 0xff, 0xff, 0xff, 0x0f]), bytes.subarray(place + 1)]);
    case 'repeat':
      return Buffer.concat([before, ...Array.from({ length: 1 + (value % 64) }, () => piece), bytes.subarray(place)]);
  }
}
