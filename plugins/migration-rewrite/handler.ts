import { allow, document, log, replace, select, type Configurable, type Handler } from 'hookvisor/guest';
import { rewriteXml } from './rewrite-xml.js';
import { readSettings, type Settings } from './settings.js';

/** The operations for which libvirt reads a replaced document. */
const filters = new Set(['migrate', 'restore']);

const bridge = '/domain/devices/interface/source/@bridge';
const cpuModel = '/domain/cpu/model';
const path =
  /^\/domain\/(?:devices\/(?:disk|filesystem)\/(?:.*\/)?source\/@(?:file|dev|dir)|os\/(?:kernel|initrd|dtb))$/u;

/** Adapts an incoming domain to this host: maps its bridges, paths and CPU model as the settings say. */
export const handler: Handler = {
  handle(event) {
    if (event.kind !== 'domain' || !filters.has(event.event)) return allow();
    const settings = readSettings();
    // The host's parser rejects a document that is not XML; that is a failure of the handler.
    if (select('/domain/name').length !== 1) throw new Error('the document is no domain');
    const xml = document() ?? '';
    const rewritten = rewriteXml(xml, (place, value) => {
      const wanted = valueFor(place, value, settings);
      if (wanted !== value) log.info(`${place}: ${value} becomes ${wanted}`);
      return wanted;
    });
    return rewritten === xml ? allow() : replace(rewritten);
  },
};

function valueFor(place: string, value: string, { bridges, paths, cpuModels }: Settings): string {
  if (place === bridge) return bridges.get(value) ?? value;
  if (place === cpuModel) return cpuModels.get(value.trim()) ?? value;
  return path.test(place) ? movedPath(value, paths) : value;
}

/** The longest matching folder decides. */
function movedPath(value: string, paths: ReadonlyMap<string, string>): string {
  const folders = [...paths.keys()].filter((from) => value === from || value.startsWith(`${from}/`));
  const folder = folders.reduce((longest, from) => (from.length > longest.length ? from : longest), '');
  const to = paths.get(folder);
  return to === undefined ? value : to + value.slice(folder.length);
}

/** Runs once, when the configuration is loaded. */
export const configurable: Configurable = {
  validate() {
    readSettings();
  },
};
