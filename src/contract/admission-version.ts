/**
 * Version of the admission step. An artefact in the cache is used only by the version that made it: raise this when
 * vetting, hardening or translating changes. It stands alone so that the runtime can read it without the compilers.
 */
export const admissionVersion = '12';
