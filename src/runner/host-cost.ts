/**
 * Steps of fuel that the host's work costs, so that it ends by fuel as the plugin's own does. A step stands for about ten
 * nanoseconds. They depend on sizes only, never on time: the same event costs the same everywhere.
 */
const call = 1_000;
/** Bytes of fresh memory, which the system fills with zeros as they are used, for one step. */
const emptyPerStep = 256;
/** A longer expression is refused without being read (libvirt/document.ts), and reading it here would take seconds. */
export const readXPathChars = 1_024;
/** Bytes that one part of a plugin copies from the memory of another for one step, as in its own memory. */
const copiedPerStep = 16;

/** Steps of reading or writing one value in the memory of another part of the plugin. */
export const costOfGlance = 20;

/** Steps of a call that moves so many bytes of text between host and plugin: one for each, as measured with jco's glue. */
export function costOfCall(bytes: number): number {
  return call + bytes;
}

/** Steps of making a block of memory, which the system fills with zeros as it is used. */
export function costOfBlock(bytes: number): number {
  return call + Math.ceil(bytes / emptyPerStep);
}

/** Steps of copying so many bytes from one part of a plugin to another. */
export function costOfCopy(bytes: number): number {
  return call + Math.ceil(bytes / copiedPerStep);
}
