/** The parts of well-formed XML: comments, CDATA, processing instructions, tags, and text. */
const pieces =
  /<!--[^]*?-->|<!\[CDATA\[[^]*?\]\]>|<\?[^]*?\?>|<(?<close>\/?)(?<name>[^\s/>]+)(?<attributes>(?:[^"'>/]|"[^"]*"|'[^']*')*)(?<empty>\/?)>|[^<]+/gu;

const attribute = /([^\s=]+)(\s*=\s*)("[^"]*"|'[^']*')/gu;

const entities = new Map(Object.entries({ lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" }));

/** Returns the new value for the one at a place such as `/domain/cpu/model` or `/domain/cpu/@mode`. */
export type Change = (place: string, value: string) => string;

/**
 * Rewrites texts and attributes of well-formed XML. Values that `change` returns unchanged keep every byte; comments,
 * CDATA and processing instructions are skipped. Throws an Error for a document type.
 */
export function rewriteXml(xml: string, change: Change): string {
  const path: string[] = [];
  return xml.replace(pieces, (whole: string, ...found: unknown[]) => {
    const { close, name, attributes = '', empty } = Object(found.at(-1)) as Partial<Record<string, string>>;
    if (name === undefined) return whole.startsWith('<') ? whole : changed(whole, `/${path.join('/')}`, change);
    if (name.startsWith('!')) throw new Error('the document declares a document type');
    if (close === '/') {
      path.pop();
      return whole;
    }
    const place = `/${[...path, name].join('/')}`;
    if (empty !== '/') path.push(name);
    const rewritten = attributes.replace(attribute, (_, key: string, equals: string, quoted: string) => {
      const quote = quoted.charAt(0);
      return `${key}${equals}${quote}${changed(quoted.slice(1, -1), `${place}/@${key}`, change)}${quote}`;
    });
    return `<${name}${rewritten}${empty ?? ''}>`;
  });
}

function changed(raw: string, place: string, change: Change): string {
  const value = decode(raw);
  const wanted = change(place, value);
  return wanted === value ? raw : encode(wanted);
}

function decode(raw: string): string {
  return raw.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|(\w+));/giu, (whole, hex?: string, decimal?: string, name = '') => {
    if (hex !== undefined) return String.fromCodePoint(parseInt(hex, 16));
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    return entities.get(String(name)) ?? whole;
  });
}

/** Escapes a value for text and for attributes with either kind of quotes. */
function encode(text: string): string {
  return text.replace(/[<>&"'\t\n\r]/gu, (char) => `&#${char.charCodeAt(0)};`);
}
