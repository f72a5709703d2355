import { wasmSections } from './wasm-reader.js';
import { wasmLayer } from '../../shared/wasm-layer.js';
import { sized } from './wasm-writer.js';

/**
 * A component or module without custom sections, those of what is inside it included: names for debuggers and metadata
 * that no rule covers, and that no compiler needs to see.
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
