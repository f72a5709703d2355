import { allow, deny, select, type Configurable, type Handler } from 'hookvisor/guest';
import { readSettings, type Required } from './settings.js';

/** The operations that a denial ends cleanly; whatever comes later has happened already. */
const decided = new Set(['prepare', 'start', 'migrate', 'restore']);

/** Denies domains that do not say what the administrator wants to know of them. */
export const handler: Handler = {
  handle(event) {
    if (event.kind !== 'domain' || !decided.has(event.event)) return allow();
    const { title, description, elements } = readSettings();
    if (title && !says('/domain/title')) return deny('the domain has no title; add <title> to its XML');
    if (description && !says('/domain/description')) {
      return deny('the domain has no description; add <description> to its XML');
    }
    const missing = elements.find((element) => !says(xpathOf(element), element.matches));
    if (missing === undefined) return allow();
    const { name, namespace, matches } = missing;
    const like = matches === null ? 'that is not empty' : `that matches ${matches.source}`;
    return deny(`the domain's <metadata> has no <${name}> of ${namespace} ${like}; set one with virsh metadata`);
  },
};

function says(xpath: string, matches: RegExp | null = null): boolean {
  return select(xpath).some((text) => (matches === null ? text.trim() !== '' : matches.test(text.trim())));
}

/** The settings let neither quotes into a namespace nor anything but a name into a name. */
function xpathOf({ namespace, name }: Required): string {
  return `/domain/metadata//*[local-name()="${name}" and namespace-uri()="${namespace}"]`;
}

/** Runs once, when the configuration is loaded. */
export const configurable: Configurable = {
  validate() {
    readSettings();
  },
};
