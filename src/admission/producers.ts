import type { VetReport } from '../contract/vet-report.js';
import { WasmReader, wasmSections } from './wasm/wasm-reader.js';
import { wasmLayer } from '../shared/wasm-layer.js';

/** Most entries that are told. */
const most = 50;

/**
 * Who made a plugin, by its own account: the custom sections `producers` of the component and the core modules in it.
 * What cannot be read is left out: nothing depends on it.
 */
export function readProducers(bytes: Buffer): VetReport['producers'] {
  const found = new Map<string, VetReport['producers'][number]>();
  collect(bytes, 0, (entry) => {
    if (found.size < most) found.set(JSON.stringify(entry), entry);
  });
  return [...found.values()];
}

function collect(bytes: Buffer, depth: number, see: (entry: VetReport['producers'][number]) => void): void {
  if (depth > 4) return;
  try {
    const isComponent = wasmLayer(bytes) === 'component';
    for (const { id, body } of wasmSections(bytes)) {
      if (isComponent && (id === 1 || id === 4)) collect(body, depth + 1, see);
      if (id !== 0) continue;
      const reader = new WasmReader(body);
      if (reader.name() !== 'producers') continue;
      reader.each(() => {
        const field = reader.name();
        reader.each(() => {
          see({ field, name: reader.name(), version: reader.name() });
        });
      });
    }
  } catch {
    // A section of no meaning need not be whole.
  }
}
