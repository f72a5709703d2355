/**
 * What is secret in libvirt's XML. Names are compared without prefix and in lower case: the author of the XML chooses
 * the prefixes, and metadata may contain any names. Sources of libvirt's names: docs/formatdomain.rst,
 * formatnetwork.rst, and src/conf/schemas (libvirt 9.0.0).
 */

/** Words in a name that mark its value as a secret. */
export const words = [
  'passw',
  'passphrase',
  'secret',
  'token',
  'cookie',
  'credential',
  'private[-_. ]?key',
  '(?:api|access|shared|encryption)[-_.]?key',
  // Input of cloud-init, if a platform stores it in metadata.
  'user[-_.]?data',
  'cloud[-_.]?init',
] as const;
const secretWord = new RegExp(words.join('|'), 'u');

/** Elements whose text is a key, or is meant for other programs with names of their own. */
export const closedElements = new Set([
  // <disk><auth>: in libvirt's own documents, a user name and a reference to a secret.
  'auth',
  // <os>: arguments of the guest's kernel or init.
  'cmdline',
  'bootloader_args',
  'initarg',
  'initenv',
  // qemu:commandline, bhyve:commandline, xen:commandline; qemu:override; dnsmasq:options.
  'commandline',
  'override',
  'options',
  // Storage pools: rbd:config_opts, fs:mount_opts.
  'config_opts',
  'mount_opts',
]);

/** Elements that are redacted only inside another element. */
export const closedInside: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  // SMBIOS and fw_cfg: serial numbers, OEM strings, cloud-init's data.
  ['sysinfo', new Set(['entry'])],
  ['launchsecurity', new Set(['dhcert', 'session'])],
]);

/** Attributes of redacted elements that say what it is, or where. All others are blanked. */
const references = new Set(['name', 'type', 'usage', 'username', 'alias', 'format', 'file']);
const yesNo = new Set(['ephemeral', 'private']);
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;

/** Attributes that name the value next to them, as in `<property name='db.password' value='…'/>`, and that value. */
export const naming = new Set(['name', 'key', 'id', 'property', 'variable', 'field']);
export const values = new Set(['value', 'val', 'content', 'data', 'default', 'text', 'string']);

/**
 * Matches a document (as Latin-1) to which any rule could apply, except for passwords in URLs. Runs for every event, so
 * it has no alternatives shorter than four characters, which would slow down the search.
 */
export const anyRule = new RegExp(
  [...words, ...closedElements, ...closedInside.keys(), 'query', '#cloud-config'].join('|'),
  // Without `u`, which is slower: everything here is Latin-1.
  'i',
);

export interface Attribute {
  /** As written, with its prefix. */
  readonly name: string;
  /** As written. */
  readonly value: string;
}

/** An element in the context of its open ancestors. */
export interface Place {
  /**
   * What is secret in it and its descendants. `values`: its text, and attributes with the name of a value. `all`: its
   * text, and all attributes except references.
   */
  readonly secret: 'none' | 'values' | 'all';
  /** Elements that are redacted in it, at any depth; null for no additional ones. */
  readonly closes: ReadonlySet<string> | null;
}

export function placeOf(qname: string, attributes: readonly Attribute[], parent: Place | null): Place {
  const { local: name, secret } = nameOf(qname);
  const closes = closedInside.get(name) ?? parent?.closes ?? null;
  const all = parent?.secret === 'all' || closedElements.has(name) || parent?.closes?.has(name) === true || secret;
  if (all) return { secret: 'all', closes };
  return { secret: parent?.secret === 'values' || attributes.some(namesSecret) ? 'values' : 'none', closes };
}

export function isSecretAttribute(place: Place, attribute: Attribute): boolean {
  const { name: qname, value } = attribute;
  // A namespace declaration is not an attribute, whatever its prefix.
  if (qname === 'xmlns' || qname.startsWith('xmlns:')) return false;
  const { local: name, secret } = nameOf(qname);
  if ((name === 'uuid' || name === 'secret') && uuid.test(value)) return false;
  if (name === 'passwdvalidto') return false;
  // The query of a URL, of <disk><source protocol='https'>: signed URLs carry their key there.
  if (name === 'query' || secret) return true;
  // <fs:option name='password=…'/>
  if (value.includes('=') && namesSecret(attribute)) return true;
  if (place.secret === 'none' || references.has(name)) return false;
  if (place.secret === 'values') return values.has(name);
  return !(yesNo.has(name) && /^(?:yes|no)$/u.test(value));
}

/** Tells whether a comment or instruction may contain a secret, such as an element that is commented out. */
export function isSecretAside(text: string): boolean {
  return anyRule.test(text);
}

function namesSecret({ name, value }: Attribute): boolean {
  return naming.has(nameOf(name).local) && secretWord.test(withoutReferences(value).toLowerCase());
}

/** Resolves references to ASCII characters: `pass&#119;ord` is a password, too. */
function withoutReferences(value: string): string {
  if (!value.includes('&#')) return value;
  return value.replace(/&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/giu, (whole, hex?: string, decimal?: string) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code < 0x80 ? String.fromCharCode(code) : whole;
  });
}

/** Cache of names by their spelling. Bounded, because the documents choose the names. */
const knownNames = new Map<string, Name>();
const maxKnownNames = 1_024;
const maxKnownChars = 64;

interface Name {
  /** Without prefix, in lower case. */
  readonly local: string;
  readonly secret: boolean;
}

function nameOf(qname: string): Name {
  const known = knownNames.get(qname);
  if (known !== undefined) return known;
  const local = qname.slice(qname.lastIndexOf(':') + 1).toLowerCase();
  const name = { local, secret: secretWord.test(local) };
  if (qname.length <= maxKnownChars && knownNames.size < maxKnownNames) knownNames.set(qname, name);
  return name;
}
