/** A linear memory that a core module is given, pages of 64 KiB. */
export interface ModuleMemory {
  readonly initial: number;
  readonly maximum: number;
}

/** A core module of an artefact. */
export interface ArtefactModule {
  readonly name: string;
  readonly bytes: Buffer;
  /** The memory that it imports under the name in `meterNames`; null when it does not. */
  readonly memory: ModuleMemory | null;
}

/** A plugin after admission: hardened core modules and, for a component, how they are put together. */
export interface Artefact {
  readonly backend: 'component' | 'extism';
  /** sha256 of the plugin as it was given, hex. */
  readonly digest: string;
  /**
   * A ComponentPlan as JSON; for a component of a shape that admission does not know, JavaScript of an ES module that
   * exports `instantiate(getCoreModule, imports, instantiateCore)`; '' for Extism.
   */
  readonly glue: string;
  /** Whether the plugin checks its own settings. */
  readonly validates: boolean;
  /** Core modules by the name under which the plan or glue asks for them; one named `main` for Extism. */
  readonly modules: readonly ArtefactModule[];
}
