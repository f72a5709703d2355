import { expect, it } from 'vitest';
import { decodeArtefact, encodeArtefact } from '../../src/contract/artefact-codec.js';
import type { Artefact } from '../../src/contract/artefact.js';

const artefact: Artefact = {
  backend: 'extism',
  digest: 'b'.repeat(64),
  assembly: { kind: 'module' },
  validates: false,
  modules: [{ name: 'main', bytes: Buffer.from('\0asm'), memory: { initial: 1, maximum: 16 } }],
};

it('an artefact survives encoding', () => {
  expect(decodeArtefact(encodeArtefact(artefact))).toEqual(artefact);
});

it('bytes that are missing, left over or of another kind are not an artefact', () => {
  const bytes = encodeArtefact(artefact);
  expect(() => decodeArtefact(bytes.subarray(0, -1))).toThrow('its modules should have 4 bytes, not 3');
  expect(() => decodeArtefact(Buffer.concat([bytes, Buffer.from('x')]))).toThrow(
    'its modules should have 4 bytes, not 5',
  );
  expect(() => decodeArtefact(Buffer.from('\0\0\0\x02{}', 'latin1'))).toThrow('its fields are invalid');
});
