/** A plugin after admission: hardened core modules and, for a component, the glue that jco generated. */
export interface Artefact {
  readonly backend: 'component' | 'extism';
  /** sha256 of the plugin as it was given, hex. */
  readonly digest: string;
  /** JavaScript of an ES module that exports `instantiate(getCoreModule, imports, instantiateCore)`; '' for Extism. */
  readonly glue: string;
  /** Whether the plugin checks its own settings. */
  readonly validates: boolean;
  /** Core modules by the name under which the glue asks for them; one named `main` for Extism. */
  readonly modules: readonly { readonly name: string; readonly bytes: Buffer }[];
}
