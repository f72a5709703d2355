/** The ways to run a handler, by the words of the configuration. */
export const backendNames = ['script', 'component', 'extism'] as const;
export type BackendName = (typeof backendNames)[number];
