import type { VetReport } from '../contract/vet-report.js';
import { WasmReader, wasmSections } from './wasm/wasm-reader.js';
import { wasmLayer } from '../shared/wasm-layer.js';

/** Largest number of entries in a report. */
const most = 50;

/**
 * Reads which tools claim to have made a plug-in: the custom sections `producers` of the component and its core
 * modules. Skips what cannot be read, because nothing depends on these claims.
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
    // Custom sections have no effect, so a malformed one is not an error.
  }
}
