import { allow, deny, quote, select, type Configurable, type Handler } from 'hookvisor/guest';
import { readNetworks } from './settings.js';

/** Denies a guest a port on a network that it may not use. Without the port, the guest does not start. */
export const handler: Handler = {
  handle(event) {
    if (event.kind !== 'network' || event.event !== 'port-created') return allow();
    const networks = readNetworks();
    const guests = networks.get(event.name) ?? networks.get('*') ?? [];
    const name = owner('name');
    const uuid = owner('uuid');
    if (guests.some((guest) => guest === uuid || isLike(name, guest))) return allow();
    return deny(
      `the guest ${quote(name)} may not use the network ${quote(event.name)}; ask the administrator to allow it`,
    );
  },
};

/** Returns the owner of the port. Throws an Error unless there is exactly one. */
function owner(what: 'name' | 'uuid'): string {
  const [found, ...others] = select(`/hookData/networkport/owner/${what}`);
  if (found === undefined || others.length > 0) throw new Error(`the port has no owner's ${what}, or several`);
  return found;
}

/** Returns whether a text matches a pattern in which `*` stands for any characters. */
function isLike(text: string, pattern: string): boolean {
  const [first = '', ...parts] = pattern.split('*');
  const last = parts.pop();
  if (last === undefined) return text === pattern;
  if (!text.startsWith(first) || !text.endsWith(last)) return false;
  let at = first.length;
  for (const part of parts) {
    const found = text.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

/** Runs once, when the configuration is loaded. */
export const configurable: Configurable = {
  validate() {
    readNetworks();
  },
};
