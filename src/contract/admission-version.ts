/**
 * Version of the admission step. Only the version that made a cached artefact uses it: increase this number when
 * vetting, hardening or translation changes. It is in a file of its own so that the runtime can read it without loading
 * the compilers.
 */
export const admissionVersion = '12';
