import { allow, deny, log, quote, select, type Configurable, type Event, type Handler } from 'hookvisor/guest';
import { readSettings } from './settings.js';

/** The operations that a denial aborts cleanly; later ones have already happened. */
const decided = new Set(['prepare', 'start', 'migrate', 'restore']);

/** Denies domains with more virtual CPUs than the settings allow. */
export const handler: Handler = {
  handle(event: Event) {
    if (event.kind !== 'domain' || !decided.has(event.event)) return allow();
    const { maxVcpus } = readSettings();
    const vcpus = Number(select('/domain/vcpu')[0] ?? '1');
    log.debug(`${quote(event.name)} has ${vcpus} vCPUs`);
    if (vcpus <= maxVcpus) return allow();
    return deny(`the domain has ${vcpus} vCPUs, at most ${maxVcpus} are allowed; lower <vcpu>`);
  },
};

/** Runs once, when the configuration is loaded. */
export const configurable: Configurable = {
  validate() {
    readSettings();
  },
};
