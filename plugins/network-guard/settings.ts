import { settings } from 'hookvisor/guest';

/**
 * Reads the settings: for each network, the guests that may use it, by name, name pattern or UUID. Throws an Error that
 * names the wrong setting and what is expected.
 */
export function readNetworks(): ReadonlyMap<string, readonly string[]> {
  const { networks, ...unknown } = settings();
  const [first] = Object.keys(unknown);
  if (first !== undefined) throw new Error(`unknown setting '${first}'; expected networks`);
  if (typeof networks !== 'object' || networks === null || Array.isArray(networks)) {
    throw new Error('networks must be a mapping from the name of a network to a list of guests');
  }
  return new Map(Object.entries(networks).map(([name, guests]) => [name, readGuests(name, guests)]));
}

function readGuests(network: string, guests: unknown): readonly string[] {
  if (Array.isArray(guests) && guests.every(isGuest)) return guests;
  throw new Error(`networks: ${network} must be a list of guests, by name, pattern or UUID`);
}

function isGuest(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
