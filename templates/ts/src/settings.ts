import { settings } from 'hookvisor/guest';

/** What the administrator sets; settings.schema.json says the same. */
export interface Settings {
  readonly maxVcpus: number;
}

/** Reads the settings. Throws an Error that says which one is wrong and what is expected. */
export function readSettings(): Settings {
  const { maxVcpus, ...unknown } = settings();
  const [first] = Object.keys(unknown);
  if (first !== undefined) throw new Error(`unknown setting '${first}'; expected maxVcpus`);
  if (typeof maxVcpus !== 'number' || !Number.isInteger(maxVcpus) || maxVcpus < 1) {
    throw new Error('maxVcpus must be a whole number from 1');
  }
  return { maxVcpus };
}
