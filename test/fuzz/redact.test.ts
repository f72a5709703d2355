import fc from 'fast-check';
import * as libxml2 from 'libxml2-wasm';
import { describe, expect, it } from 'vitest';
import { redact } from '../../src/runtime/journal/redact.js';
import { closedElements, closedInside, naming, values, words } from '../../src/runtime/journal/secret-rules.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';

/** A piece of XML, and what it must become. */
type Piece = readonly [before: string, after: string];
const join = (pieces: readonly Piece[]): Piece => [pieces.map(([a]) => a).join(''), pieces.map(([, b]) => b).join('')];
const same = (text: string): Piece => [text, text];

/** Found again wherever it stands, and in nothing else. */
const mark = 'S3cr3t';
const prefixes = ['a', 'qemu', 'secret', 'passwd', 'xmlns.x', 'x.y-z', '_', '\u00fc'];
const declarations = prefixes.map((prefix, at) => ` xmlns:${prefix}='urn:${at}'`).join('');
const prefix = fc.constantFrom('', '', ...prefixes.map((one) => `${one}:`));
const gap = fc.constantFrom(' ', '\n', '\t ', ' \r\n ');
const blank = fc.constantFrom('', '', ' ', '\n\t');
const quote = fc.constantFrom("'", '"');

/** Each character as it is or as one of the references to it. */
const written = fc
  .tuple(fc.stringMatching(/^[a-zA-Z0-9+/=_-]{0,12}$/u), fc.array(fc.nat(4), { minLength: 1, maxLength: 9 }))
  .map(([rest, forms]) =>
    Array.from(mark + rest, (char, at) => {
      const code = char.charCodeAt(0);
      return [char, char, `&#${code};`, `&#x${code.toString(16)};`, `&#x00${code.toString(16).toUpperCase()};`][
        forms[at % forms.length] ?? 0
      ];
    }).join(''),
  );
const raw = fc.stringMatching(/^[a-zA-Z0-9+/=_?:;.]{0,12}$/u).map((rest) => mark + rest);

const attribute = (name: fc.Arbitrary<string>, value: fc.Arbitrary<Piece>): fc.Arbitrary<Piece> =>
  fc
    .tuple(gap, prefix, name, blank, blank, quote, value)
    .map(([space, before, local, left, right, q, [a, b]]): Piece => {
      const head = `${space}${before}${local}${left}=${right}${q}`;
      return [`${head}${a}${q}`, `${head}${b}${q}`];
    });
const hiddenValue = written.map((text): Piece => [text, '***']);

const element = (name: string, [a, b]: Piece, [inside, blanked]: Piece, tail: string): Piece => [
  `<${name}${a}>${inside}</${name}${tail}>`,
  `<${name}${b}>${blanked}</${name}${tail}>`,
];

/** What a closed element may hold: nothing of it may stay. `attributes` names those that are secrets in it. */
const hidden = (attributes: fc.Arbitrary<string>): fc.Arbitrary<Piece> =>
  fc
    .array(
      fc.oneof(
        written.map((text): Piece => [text, '***']),
        raw.map((text): Piece => [`<![CDATA[${text}]]>`, '<![CDATA[***]]>']),
        raw.map((text): Piece => [`<!--${text}-->`, '<!--***-->']),
        raw.map((text): Piece => [`<?p ${text}?>`, '<?redacted?>']),
        fc
          .tuple(prefix, attribute(attributes, hiddenValue), written)
          .map(([p, inside, text]): Piece => element(`${p}part`, inside, [text, '***'], '')),
      ),
      { minLength: 1, maxLength: 4 },
    )
    // Two texts beside each other would be one.
    .map((pieces) => join(pieces.flatMap((piece) => [piece, same('<i/>')])));

/** A name that a word of the rules matches, in any case and with more around it. */
const named = fc
  .tuple(
    fc.constantFrom('', 'x', 'my-', 'db.'),
    fc.oneof(...words.map((word) => fc.stringMatching(new RegExp(`^(?:${word})$`, 'u')))),
    fc.constantFrom('', 's', '2', '-x'),
    fc.boolean(),
  )
  .map(([before, word, after, upper]) => {
    const name = `${before}${word}${after}`.replaceAll(' ', '-');
    return upper ? name.toUpperCase() : name;
  });

const anyAttribute = fc.constantFrom('value', 'key', 'content', 'id', 'x');
const secretElement = fc
  .tuple(prefix, fc.oneof(named, fc.constantFrom(...closedElements)), attribute(anyAttribute, hiddenValue), blank)
  .chain(([p, name, attributes, tail]) =>
    hidden(anyAttribute).map((inside) => element(`${p}${name}`, attributes, inside, tail)),
  );
const insideElement = fc
  .constantFrom(...Array.from(closedInside, ([outer, inner]) => [outer, [...inner]] as const))
  .chain(([outer, inner]) =>
    fc.tuple(prefix, prefix, fc.constantFrom(...inner), hidden(anyAttribute)).map(([p, q, name, inside]): Piece => {
      const entry = element(`${q}${name}`, same(" name='kept'"), inside, '');
      return element(`${p}${outer}`, same(" type='kept'"), element('system', same(''), entry, ''), '');
    }),
  );
const namedValue = fc
  .tuple(fc.constantFrom(...naming), named, attribute(fc.constantFrom(...values), hiddenValue))
  .chain(([naming, name, value]) =>
    hidden(fc.constantFrom(...values)).map((inside) =>
      element('property', join([same(` ${naming}='${name}' type='kept'`), value]), inside, ''),
    ),
  );
const secretAttribute = attribute(fc.oneof(named, fc.constant('query')), hiddenValue).map(([a, b]): Piece => [
  `<plain${a}/>`,
  `<plain${b}/>`,
]);
const url = fc
  .tuple(
    fc.constantFrom('://', '&#58;//', ':&#x2f;&#47;'),
    fc.constantFrom('', 'u', 'a.b', '&amp;&#252;'),
    fc.constantFrom(':', '&#x3A;'),
    written.filter((text) => !/\/|&#47;|&#x0*2f;/iu.test(text)),
    fc.constantFrom('@', '&#64;'),
    fc.boolean(),
  )
  .map(([scheme, user, colon, text, at, inAttribute]): Piece => {
    const piece = (password: string): string => `https${scheme}${user}${colon}${password}${at}h/disk`;
    const [a, b] = inAttribute ? [`<source file='`, `'/>`] : ['<source>', '</source>'];
    return [`${a}${piece(text)}${b}`, `${a}${piece('***')}${b}`];
  });
const keyMaterial = fc
  .tuple(fc.constantFrom('-----BEGIN EC PRIVATE KEY-----\n', '#cloud-config\n'), raw)
  .map(([head, text]): Piece => [`<x><![CDATA[${head}${text}]]></x>`, '<x><![CDATA[***]]></x>']);
const aside = fc
  .tuple(named, raw)
  .map(([name, text]): Piece => [`<!-- ${name.replaceAll('--', '-')}='${text}' -->`, '<!--***-->']);

const plainText = fc
  .stringMatching(/^[ a-z0-9.,;:=\u00e9\u65e5\u{1f642}-]{0,12}$/u)
  .chain((text) => fc.constantFrom(text, `${text}&amp;&#228;&lt;`, `<![CDATA[${text}<a b="c">&]]>`, `<?p ${text}?>`));
const plain = fc
  .tuple(prefix, fc.constantFrom('disk', 'Source', 'graphics', 'metadata', 'entry', 'session'), plainText, blank)
  .map(([p, name, text, tail]) => same(`<${p}${name} type='x' ${p}y = "a>b"${tail}>${text}</${p}${name}>`));

const { node } = fc.letrec<{ node: Piece }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    fc.oneof(plain, secretElement, insideElement, namedValue, secretAttribute, url, keyMaterial, aside),
    fc
      .tuple(prefix, fc.constantFrom('devices', 'metadata', 'os'), fc.array(tie('node'), { maxLength: 4 }), plainText)
      .map(([p, name, nodes, text]) => element(`${p}${name}`, same(''), join([same(text), ...nodes]), '')),
  ),
}));
const documents = fc
  .array(node, { minLength: 1, maxLength: 6 })
  .map((nodes) => element('domain', same(declarations), join([same('<name>web</name>'), ...nodes]), ''));

/** All that a reader finds: references and CDATA are text here. */
function readBack(document: string): string {
  const parsed = libxml2.XmlDocument.fromString(document);
  try {
    return parsed.canonicalizeToString({ withComments: true });
  } finally {
    parsed.dispose();
  }
}

describe('a document in the journal', () => {
  it(
    'keeps no secret in any place that the rules name, and all else as it was',
    async () => {
      await fuzz({
        name: 'redaction',
        inputs: documents,
        save: ([before]) => before,
        holds([before, after]) {
          const redacted = redact(Buffer.from(before))?.toString();
          expect(redacted).toBe(after);
          expect(readBack(before).includes(mark)).toBe(before !== after);
          expect(readBack(after)).not.toContain(mark);
        },
      });
    },
    fuzzTimeoutMs,
  );
});
