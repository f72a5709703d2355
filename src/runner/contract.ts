import { z } from 'zod';
import { HookvisorError } from '../contract/errors.js';
import { hookEventSchema } from '../contract/event.js';

/** The input of an Extism plug-in's `handle`. Later versions may add keys: a plug-in ignores unknown keys. */
export const extismInput = z
  .object({
    event: hookEventSchema.describe('One call of a libvirt hook.'),
    document: z
      .string()
      .nullable()
      .describe(
        'The XML that libvirt passed to the hook, with the replacements of the preceding handlers; null without one.',
      ),
  })
  .describe("Input of an Extism plug-in's function `handle`.");
export type ExtismInput = z.infer<typeof extismInput>;

/** The output of an Extism plug-in's `handle`: the outcome and its fields, nothing else. */
export const extismOutput = z
  .discriminatedUnion('outcome', [
    z.strictObject({ outcome: z.literal('allow') }).describe('No objection. The next handler is called.'),
    z
      .strictObject({
        outcome: z.literal('deny'),
        reason: z.string().describe('Shown to the user who requested the operation.'),
      })
      .describe('The operation must not happen.'),
    z
      .strictObject({
        outcome: z.literal('replace'),
        document: z.string().describe('The document to continue with; same name and UUID.'),
      })
      .describe('Continue with this document: for migrate and restore, with the grant `replace`.'),
  ])
  .describe("Output of an Extism plug-in's function `handle`.");
export type ExtismOutput = z.infer<typeof extismOutput>;

/** The output of an Extism plug-in's `validate`, unless it is empty: the objection to the settings. */
export const extismObjection = z.strictObject({ error: z.string() });

const settingsObject = z.record(z.string(), z.unknown());

/**
 * Returns a handler's settings as Extism's config: one key for each top-level key, with strings unchanged and all other
 * values as JSON text. Throws HookvisorError `plugin-settings` if the text is not a JSON object.
 */
export function toExtismConfig(settingsJson: string): Record<string, string> {
  const settings = settingsObject.safeParse(parseJson(settingsJson));
  if (!settings.success) {
    throw new HookvisorError(
      'plugin-settings',
      `Cannot use the settings '${settingsJson.slice(0, 60)}': they are not a JSON object; use keys and values`,
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
