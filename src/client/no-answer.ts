/** Thrown when the runtime gives no answer; the message says why, and an administrator sees it. */
export class NoAnswer extends Error {}
