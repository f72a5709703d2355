/** Isolation levels of runner processes, strongest first. */
export const isolationLevels = ['namespaces', 'user', 'process'] as const;
export type IsolationLevel = (typeof isolationLevels)[number];

/** Isolation mechanisms of runner processes, strongest first. */
export const isolationMechanisms = ['bubblewrap', 'unshare', 'user', 'process'] as const;
export type IsolationMechanism = (typeof isolationMechanisms)[number];
