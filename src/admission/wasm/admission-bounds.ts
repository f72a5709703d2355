/**
 * The most that a plug-in may declare, for all of its core modules together unless stated otherwise. The bounds are far
 * above what compilers emit (QuickJS, the largest in use: 2,400 functions, 5,700 data segments, 26 component instances,
 * 255 nested blocks), and low enough that parsers and compilers stay within the admission process's time and memory.
 */
export const admissionBounds = {
  coreInstances: 64,
  componentInstances: 256,
  functions: 100_000,
  types: 20_000,
  /** Parameters and results of all types. */
  typeValues: 200_000,
  imports: 10_000,
  exports: 10_000,
  globals: 100_000,
  segments: 100_000,
  /** Per function, and in total. Each local of a function costs V8 and Binaryen memory, even if it is unused. */
  functionLocals: 5_000,
  locals: 1_000_000,
  /** Deepest nesting of blocks; a `switch` nests one block for each case. */
  blockDepth: 2_000,
  /** Memories of its instances, each of which reserves address space; QuickJS has three. */
  memories: 4,
  /** Tables, and their initial elements. */
  tables: 64,
  tableElements: 1_000_000,
  /** Distinct names in a component. */
  names: 20_000,
  /** Types, fields, aliases, imports, exports and instances that a component defines; QuickJS has 2,900. */
  definitions: 100_000,
  /** The same, with those of a nested component counted once for each instance of it. */
  linked: 400_000,
  /** Sections of a module or component, custom ones included. */
  sections: 10_000,
  /** Modules and components inside a component, instantiated or not. */
  parts: 1_000,
  /** Functions that a component lifts and lowers: QuickJS has 88. */
  adapters: 1_000,
  /** The description of how a component is assembled, bytes of JSON; that of QuickJS has 39 kB. */
  translationBytes: 8 * 1_024 * 1_024,
} as const;
