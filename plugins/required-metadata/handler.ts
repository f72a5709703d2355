import { allow, deny, select, type Configurable, type Handler } from 'hookvisor/guest';
import { readSettings, type Required } from './settings.js';

/** The operations for which a denial has no side effects. Later operations have already taken effect. */
const decided = new Set(['prepare', 'start', 'migrate', 'restore']);

/** Denies domains that lack a title, a description or metadata that the settings require. */
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

/** Safe to insert: the settings allow no quotes in a namespace, and only a valid XML name as a name. */
function xpathOf({ namespace, name }: Required): string {
  return `/domain/metadata//*[local-name()="${name}" and namespace-uri()="${namespace}"]`;
}

/** Runs once, when the configuration is loaded. */
export const configurable: Configurable = {
  validate() {
    readSettings();
  },
};
