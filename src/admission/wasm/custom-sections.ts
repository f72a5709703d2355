import { wasmSections } from './wasm-reader.js';
import { wasmLayer } from '../../shared/wasm-layer.js';
import { sized } from './wasm-writer.js';

/**
 * Returns a component or module without custom sections, also inside nested modules and components. They hold debugging
 * names and metadata, which no rule covers and no compiler needs.
 */
export function withoutCustomSections(bytes: Buffer): Buffer {
  const isComponent = wasmLayer(bytes) === 'component';
  const parts = wasmSections(bytes).flatMap(({ id, body }) => {
    if (id === 0) return [];
    const holds = isComponent && (id === 1 || id === 4);
    const content = holds ? withoutCustomSections(body) : body;
    return [Buffer.from([id]), sized(content)];
  });
  return Buffer.concat([bytes.subarray(0, 8), ...parts]);
}
