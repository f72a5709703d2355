/** The backends that run handlers, by their names in the configuration. */
export const backendNames = ['script', 'component', 'extism'] as const;
export type BackendName = (typeof backendNames)[number];
