import { expect, it } from 'vitest';
import { parseConfig } from '../../../src/runtime/config/load.js';
import { pinPlugin } from '../../../src/commands/replay/pin-plugin.js';

const file = '/etc/hookvisor/hookvisor.yaml';
const old = 'a'.repeat(64);
const pin = { handler: 'h', source: "/etc/hookvisor/it's-b.wasm", sha256: 'b'.repeat(64) };

function pinned(text: string): string {
  return pinPlugin(text, parseConfig(text, file), pin);
}

it('changes two values and no other character', () => {
  const text = (source: string, sha256: string): string => `# ours
version: 1
handlers:
  other: { backend: extism, source: h.wasm, sha256: ${old}, failurePolicy: fail } # stays
  h:
    sha256: ${sha256} # the digest
    source:   ${source}   # the file
    backend: extism
    failurePolicy: fail
`;
  expect(pinned(text('h.wasm', old))).toBe(text("'it''s-b.wasm'", `'${pin.sha256}'`));
  expect(pinned(text(`"/srv/h.wasm"`, `"${old}"`))).toBe(text(`'/etc/hookvisor/it''s-b.wasm'`, `'${pin.sha256}'`));
});

it('refuses values that another handler shares, and says what to do', () => {
  const shared = `version: 1
handlers:
  other: &other { backend: extism, source: h.wasm, sha256: ${old}, failurePolicy: fail }
  h: *other
`;
  expect(() => pinned(shared)).toThrow(
    expect.objectContaining({
      code: 'usage',
      message: expect.stringMatching(/not plain values.*change them by hand, then 'hookvisor reload'/u) as string,
    }),
  );
});
