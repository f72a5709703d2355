import { settings } from 'hookvisor/guest';

/** Settings of the administrator; must match settings.schema.json. */
export interface Settings {
  readonly maxVcpus: number;
}

/** Reads the settings. Throws an Error that names the invalid setting and the expected value. */
export function readSettings(): Settings {
  const { maxVcpus, ...unknown } = settings();
  const [first] = Object.keys(unknown);
  if (first !== undefined) throw new Error(`unknown setting '${first}'; expected maxVcpus`);
  if (typeof maxVcpus !== 'number' || !Number.isInteger(maxVcpus) || maxVcpus < 1) {
    throw new Error('maxVcpus must be a whole number from 1');
  }
  return { maxVcpus };
}
