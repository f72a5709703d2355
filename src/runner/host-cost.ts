/**
 * The cost of the host's work in steps of fuel, so that fuel bounds it like the plug-in's own work. A step represents
 * about ten nanoseconds. Costs depend only on sizes, never on time: the same event costs the same everywhere.
 */
const call = 1_000;
/** Bytes of new memory per step; the system zeroes it on first use. */
const emptyPerStep = 256;
/**
 * Maximum size of an expression. A longer one is rejected unread (libvirt/document.ts); reading it here would take
 * seconds.
 */
export const readXPathChars = 1_024;
/** Bytes per step that one part of a plug-in copies from another's memory, as in its own memory. */
const copiedPerStep = 16;

/** Steps for reading or writing one value in the memory of another part of the plug-in. */
export const costOfGlance = 20;

/**
 * Returns the steps for a call that moves text between host and plug-in: one for each byte, as measured with jco's glue
 * code.
 */
export function costOfCall(bytes: number): number {
  return call + bytes;
}

/** Returns the steps for allocating a block of memory, which the system zeroes on first use. */
export function costOfBlock(bytes: number): number {
  return call + Math.ceil(bytes / emptyPerStep);
}

/** Returns the steps for copying bytes from one part of a plug-in to another. */
export function costOfCopy(bytes: number): number {
  return call + Math.ceil(bytes / copiedPerStep);
}
