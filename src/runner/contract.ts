import { z } from 'zod';
import { HookvisorError } from '../contract/errors.js';

const event = z
  .object({
    id: z.string().max(64).describe('Identifier of this event, unique per hook call.'),
    time: z.number().int().nonnegative().describe('When the call was received, milliseconds since the Unix epoch.'),
    kind: z.string().describe('domain, network or daemon; a newer libvirt may add others.'),
    name: z.string().describe('Name of the object as libvirt wrote it. Hostile input: any character but NUL.'),
    event: z.string().describe("libvirt's operation: prepare, start, migrate, …"),
    qualifier: z.string().describe("libvirt's sub-operation: begin, end, …; - when there is none."),
    extra: z.string().nullable().describe("libvirt's extra argument; null when there is none."),
    driver: z.string().describe("libvirt's hook name: qemu, lxc, libxl, bhyve, network or daemon."),
    uuid: z.string().nullable().describe("The object's UUID in lower case, when the document names it."),
  })
  .describe('One call of a libvirt hook.');

/** What an Extism plugin's `handle` is given. Later versions may add keys: a plugin ignores those it does not know. */
export const extismInput = z
  .object({
    event,
    document: z
      .string()
      .nullable()
      .describe('The XML that libvirt wrote to the hook, as the handlers before this one left it; null without one.'),
  })
  .describe("Input of an Extism plugin's function `handle`.");
export type ExtismInput = z.infer<typeof extismInput>;

/** What an Extism plugin's `handle` answers: the outcome and what belongs to it, nothing else. */
export const extismOutput = z
  .discriminatedUnion('outcome', [
    z.strictObject({ outcome: z.literal('allow') }).describe('No objection. The next handler is asked.'),
    z
      .strictObject({
        outcome: z.literal('deny'),
        reason: z.string().describe('Shown to the user who asked for the operation.'),
      })
      .describe('The operation must not happen.'),
    z
      .strictObject({
        outcome: z.literal('replace'),
        document: z.string().describe('The document to go on with; same name and UUID.'),
      })
      .describe('Go on with this document instead: for migrate and restore, with the grant `replace`.'),
  ])
  .describe("Output of an Extism plugin's function `handle`.");
export type ExtismOutput = z.infer<typeof extismOutput>;

/** What an Extism plugin's `validate` answers when it does not answer with nothing: its objection to the settings. */
export const extismObjection = z.strictObject({ error: z.string() });

const settingsObject = z.record(z.string(), z.unknown());

/**
 * A handler's settings as Extism's config: one key for each top-level key, strings as they are, all other values as JSON
 * text. Throws HookvisorError `plugin-settings` when the text is not a JSON object.
 */
export function toExtismConfig(settingsJson: string): Record<string, string> {
  const settings = settingsObject.safeParse(parseJson(settingsJson));
  if (!settings.success) {
    throw new HookvisorError(
      'plugin-settings',
      `Cannot use the settings '${settingsJson.slice(0, 60)}': they are not a JSON object; write them as keys and values`,
    );
  }
  return Object.fromEntries(
    Object.entries(settings.data).map(([key, value]) => [
      key,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
