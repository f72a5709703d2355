/** Thrown if the runtime does not answer. The message states why and is shown to an administrator. */
export class NoAnswer extends Error {}
