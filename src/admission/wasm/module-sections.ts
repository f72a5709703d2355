import { featureError } from './features.js';
import { wasmSections } from './wasm-reader.js';
import { invalidPlugin as invalid } from '../../shared/wasm-layer.js';

/** The sections of a core module by name, in the order in which they stand. */
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

/** The number 12, how many data segments there are, comes before the code. */
export const sectionOrder: readonly number[] = Object.values(moduleSection);

const tags = 13;

/** The content of a core module's sections by their number, without custom ones, in order. */
export type ModuleSections = ReadonlyMap<number, Buffer>;

/**
 * Takes a core module apart. Throws HookvisorError `plugin-invalid` for a section that is unknown, comes twice or stands
 * in another place than its own, and `plugin-refused` for one of tags.
 */
export function moduleSections(bytes: Buffer): ModuleSections {
  const sections = new Map<number, Buffer>();
  let last = -1;
  for (const { id, body } of wasmSections(bytes)) {
    if (id === 0) continue;
    if (id === tags) throw featureError('exception-handling');
    const place = sectionOrder.indexOf(id);
    if (place < 0) throw invalid(`a core module in it has a section of an unknown kind (${id})`);
    if (place <= last) throw invalid(`a core module in it has its sections in another order (${id})`);
    last = place;
    sections.set(id, body);
  }
  return sections;
}
