/**
 * What in libvirt's XML is a secret. Names are compared without prefix and in lower case: whoever writes the XML chooses
 * the prefixes, and metadata has names of anybody. Source of libvirt's names: docs/formatdomain.rst, formatnetwork.rst,
 * and src/conf/schemas (libvirt 9.0.0).
 */

/** In a name, these say that the value is a secret. */
export const words = [
  'passw',
  'passphrase',
  'secret',
  'token',
  'cookie',
  'credential',
  'private[-_. ]?key',
  '(?:api|access|shared|encryption)[-_.]?key',
  // What cloud-init is given, where a platform keeps it in metadata.
  'user[-_.]?data',
  'cloud[-_.]?init',
] as const;
const secretWord = new RegExp(words.join('|'), 'u');

/** Elements with text that is for other programs, whatever it is called there, or that is a key. */
export const closedElements = new Set([
  // <disk><auth>: user name and a reference to a secret, in libvirt's own documents.
  'auth',
  // <os>: what the guest's kernel or init is started with.
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

/** Elements that are closed inside another one only. */
export const closedInside: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  // SMBIOS and fw_cfg: serial numbers, OEM strings, cloud-init's data.
  ['sysinfo', new Set(['entry'])],
  ['launchsecurity', new Set(['dhcert', 'session'])],
]);

/** Attributes of closed elements that say what it is, or where. All others are blanked. */
const references = new Set(['name', 'type', 'usage', 'username', 'alias', 'format', 'file']);
const yesNo = new Set(['ephemeral', 'private']);
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/iu;

/** Attributes that name the value beside them, as in `<property name='db.password' value='…'/>`, and those that are it. */
export const naming = new Set(['name', 'key', 'id', 'property', 'variable', 'field']);
export const values = new Set(['value', 'val', 'content', 'data', 'default', 'text', 'string']);

/**
 * Finds, in a document's bytes as Latin-1, whether any rule could have something to do there, but for passwords in URLs.
 * On the path of every event: no alternative shorter than four characters, which would slow the search down.
 */
export const anyRule = new RegExp(
  [...words, ...closedElements, ...closedInside.keys(), 'query', '#cloud-config'].join('|'),
  // Not `u`: it is slower, and nothing here is beyond Latin-1.
  'i',
);

export interface Attribute {
  /** As it is written, with its prefix. */
  readonly name: string;
  /** As it is written. */
  readonly value: string;
}

/** What an element is among those that are open around it. */
export interface Place {
  /**
   * What is a secret in it and in everything inside it. `values`: its text, and attributes that are called as values are.
   * `all`: its text, and all attributes but those that refer to something.
   */
  readonly secret: 'none' | 'values' | 'all';
  /** What is closed in it, at any depth; null for nothing more. */
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
  // A declaration of a namespace is no attribute, whatever the prefix is called.
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

/** Whether a comment or an instruction may hold a secret, such as an element that is commented out. */
export function isSecretAside(text: string): boolean {
  return anyRule.test(text);
}

function namesSecret({ name, value }: Attribute): boolean {
  return naming.has(nameOf(name).local) && secretWord.test(withoutReferences(value).toLowerCase());
}

/** With references to ASCII characters resolved: `pass&#119;ord` is a password as well. */
function withoutReferences(value: string): string {
  if (!value.includes('&#')) return value;
  return value.replace(/&#(?:x([0-9a-f]{1,6})|([0-9]{1,7}));/giu, (whole, hex?: string, decimal?: string) => {
    const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
    return code < 0x80 ? String.fromCharCode(code) : whole;
  });
}

/** What a document's names are, by how they are written. Bounded: the documents choose the names. */
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
