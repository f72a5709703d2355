import { z } from 'zod';

/**
 * One call of a libvirt hook: the five fields of the "events scripts" RFC (kind, name, event, qualifier, extra) and
 * what Hookvisor adds. Names and documents come from libvirt's users and are hostile input.
 */
export const hookEventSchema = z.object({
  id: z.string().max(64).describe('Identifier of this event, unique per hook call.'),
  time: z
    .number()
    .int()
    .nonnegative()
    .describe('When the runtime received the call, milliseconds since the Unix epoch.'),
  kind: z.string().describe('domain, network or daemon; a newer libvirt may add others.'),
  name: z.string().describe('Name of the object as libvirt wrote it. Hostile input: any character except NUL.'),
  event: z.string().describe("libvirt's operation: prepare, start, migrate, …"),
  qualifier: z.string().describe("libvirt's sub-operation: begin, end, …; - if there is none."),
  extra: z.string().nullable().describe("libvirt's extra argument; null if there is none."),
  driver: z.string().describe("libvirt's hook name: qemu, lxc, libxl, bhyve, network or daemon."),
  uuid: z.string().nullable().describe("The object's UUID in lower case, if the document contains one."),
});
export type HookEvent = Readonly<z.infer<typeof hookEventSchema>>;

/** An event with the XML that libvirt wrote to the hook's stdin; null if there was none. */
export interface HookCall {
  readonly event: HookEvent;
  readonly document: Buffer | null;
}
