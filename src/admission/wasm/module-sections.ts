import { featureError } from './features.js';
import { wasmSections } from './wasm-reader.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';

/** The numbers of a core module's sections by name, in the order of the file. */
export const moduleSection = {
  type: 1,
  import: 2,
  function: 3,
  table: 4,
  memory: 5,
  global: 6,
  export: 7,
  start: 8,
  element: 9,
  dataCount: 12,
  code: 10,
  data: 11,
} as const;

/** Section numbers in the order of the file. The data count section (12) precedes the code. */
export const sectionOrder: readonly number[] = Object.values(moduleSection);

const tags = 13;

/** The contents of a core module's sections by number, in order, without custom sections. */
export type ModuleSections = ReadonlyMap<number, Buffer>;

/**
 * Splits a core module into its sections. Throws HookvisorError `plugin-invalid` if a section is unknown, repeated or
 * out of order, and `plugin-refused` for a tag section.
 */
export function moduleSections(bytes: Buffer): ModuleSections {
  const sections = new Map<number, Buffer>();
  let last = -1;
  for (const { id, body } of wasmSections(bytes)) {
    if (id === 0) continue;
    if (id === tags) throw featureError('exception-handling');
    const place = sectionOrder.indexOf(id);
    if (place < 0) throw invalid(`a core module in it has a section of an unknown kind (${id})`);
    if (place <= last) throw invalid(`a core module in it has a section out of order (${id})`);
    last = place;
    sections.set(id, body);
  }
  return sections;
}
