import { invalid, WasmReader, wasmLayer, wasmSections } from './wasm-reader.js';

/** What a component asks for and offers, and the core modules inside it. */
export interface ComponentBinary {
  readonly imports: readonly { readonly name: string; readonly kind: string }[];
  readonly exports: readonly { readonly name: string; readonly kind: string }[];
  /** Of nested components too. */
  readonly coreModules: readonly Buffer[];
  /** How many core modules it instantiates, nested components' included. */
  readonly coreInstances: number;
  /** Whether it uses asynchronous functions, threads or streams. */
  readonly concurrent: boolean;
}

const section = { coreModule: 1, coreInstance: 2, component: 4, canon: 8, import: 10, export: 11 } as const;
const kinds = ['core', 'function', 'value', 'type', 'component', 'instance'] as const;

/** Reads a component's imports and exports, without running it. Throws HookvisorError `plugin-invalid`. */
export function readComponent(bytes: Buffer): ComponentBinary {
  const sections = wasmSections(bytes);
  const nested = sections.filter(({ id }) => id === section.component).map(({ body }) => nestedComponent(body));
  const list = <T>(id: number, item: (reader: WasmReader) => T): T[] =>
    sections
      .filter((candidate) => candidate.id === id)
      .flatMap(({ body }) => {
        const reader = new WasmReader(body);
        return reader.many(() => item(reader));
      });
  return {
    imports: list(section.import, importOrExport),
    exports: list(section.export, exported),
    coreModules: [
      ...sections.filter(({ id }) => id === section.coreModule).map(({ body }) => body),
      ...nested.flatMap(({ coreModules }) => coreModules),
    ],
    coreInstances:
      list(section.coreInstance, coreInstance).filter((instantiates) => instantiates).length +
      nested.reduce((sum, { coreInstances }) => sum + coreInstances, 0),
    concurrent:
      sections.some(({ id, body }) => id === section.canon && !plainCanonical(body)) ||
      nested.some(({ concurrent }) => concurrent),
  };
}

function nestedComponent(body: Buffer): ComponentBinary {
  if (wasmLayer(body) !== 'component') throw invalid('a component inside it is none');
  return readComponent(body);
}

function importOrExport(reader: WasmReader): { name: string; kind: string } {
  const name = externName(reader);
  return { name, kind: externType(reader) };
}

function exported(reader: WasmReader): { name: string; kind: string } {
  const name = externName(reader);
  const kind = kinds[reader.u8()] ?? 'unknown';
  if (kind === 'core') reader.u8();
  reader.uint();
  if (reader.u8() === 1) externType(reader);
  return { name, kind };
}

function externName(reader: WasmReader): string {
  if (reader.u8() > 1) throw invalid('it names an import or export in an unknown form');
  return reader.name();
}

function externType(reader: WasmReader): string {
  const kind = kinds[reader.u8()] ?? 'unknown';
  // A core module is 0x00 0x11; a value or type has a bound before its index, and a fresh resource has no index.
  if (kind === 'core') reader.u8();
  const bound = kind === 'value' || kind === 'type' ? reader.u8() : 0;
  if (!(kind === 'type' && bound === 1)) reader.uint();
  return kind;
}

/** True for an instantiation, false for a bundle of exports. */
function coreInstance(reader: WasmReader): boolean {
  const instantiates = reader.u8() === 0;
  if (instantiates) reader.uint();
  reader.many(() => {
    reader.name();
    reader.u8();
    return reader.uint();
  });
  return instantiates;
}

/** Whether it is of the plain kind: lift, lower and those of resources. Any other belongs to concurrency. */
function plainCanonical(body: Buffer): boolean {
  const reader = new WasmReader(body);
  for (let left = reader.uint(); left > 0; left -= 1) {
    const code = reader.u8();
    if (code > 0x04) return false;
    if (code < 0x02) reader.u8();
    reader.uint();
    if (code >= 0x02) continue;
    for (let options = reader.uint(); options > 0; options -= 1) {
      const option = reader.u8();
      if (option > 0x05) return false;
      if (option >= 0x03) reader.uint();
    }
    if (code === 0x00) reader.uint();
  }
  return true;
}
