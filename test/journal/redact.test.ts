import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact } from '../../src/journal/redact.js';
import { captures } from '../support/captures.js';

const redacted = (text: string): string | null => redact(Buffer.from(text))?.toString() ?? null;

describe('redacting a document', () => {
  it.each([
    ["<graphics type='vnc' port='-1' passwd='hunter2'/>", "<graphics type='vnc' port='-1' passwd='***'/>"],
    ['<graphics passwd="it\'s > 3"  />', '<graphics passwd="***"  />'],
    ["<q:x q:password = '&lt;a'>kept</q:x>", "<q:x q:password = '***'>kept</q:x>"],
    ["<secret ephemeral='no'>s3cret</secret>", "<secret ephemeral='no'>***</secret>"],
    ['<secret><value>a</value>b<![CDATA[c]]></secret>d', '<secret><value>***</value>***<![CDATA[***]]></secret>d'],
    ["<cookies><cookie name='a'>v1</cookie></cookies>", "<cookies><cookie name='a'>***</cookie></cookies>"],
    ["<x secret='abc'/>", "<x secret='***'/>"],
    [
      '<!-- a --><?p a?><!DOCTYPE d><passphrase>x</passphrase>',
      '<!-- a --><?p a?><!DOCTYPE d><passphrase>***</passphrase>',
    ],
    ['<secret><!-- old --></secret>', '<secret><!--***--></secret>'],
    ["<a title=\"passwd='x'\" passwd='y'/>", "<a title=\"passwd='x'\" passwd='***'/>"],
  ])('blanks the secrets of %s', (before, after) => {
    expect(redacted(before)).toBe(after);
  });

  it.each([
    ["<graphics passwd=''/>"],
    ["<secret type='passphrase' uuid='6f1c2a34-0000-4000-8000-000000000001'/>"],
    ["<encryption secret='6f1c2a34-0000-4000-8000-000000000001'/>"],
    ["<graphics passwdValidTo='2026-11-22T10:00:00'/>"],
    ['<description>the secret is: no password</description>'],
    ['<domain><name>tiny</name></domain>'],
  ])('leaves %s as it is', (text) => {
    expect(redacted(text)).toBe(text);
  });

  it.each([
    ["<a passwd='x"],
    ["<a passwd='x'"],
    ['<secret>x'],
    ['<secret><![CDATA[x</secret>'],
    ['<!-- <secret>'],
    ['< passwd>x</passwd>'],
    ['<a passwd=x/>'],
  ])('gives up on %s, which is not XML', (text) => {
    expect(redacted(text)).toBeNull();
  });

  it('gives up on UTF-16, where its words cannot be found', () => {
    expect(redact(Buffer.from("<a passwd='x'/>", 'utf16le'))).toBeNull();
  });

  it('keeps bytes that are not UTF-8', () => {
    const before = Buffer.from("<a>\xff</a><b passwd='\xfe'/>", 'latin1');
    expect(redact(before)).toEqual(Buffer.from("<a>\xff</a><b passwd='***'/>", 'latin1'));
  });

  it('changes nothing in any recorded document but passwords', () => {
    for (const { stdin } of captures) {
      if (stdin === null) continue;
      const expected = stdin.replace(/ passwd='[^']+'/gu, " passwd='***'");
      expect(redacted(stdin)).toBe(expected);
    }
  });

  it('takes time in proportion to the size, whatever the document', () => {
    const time = (text: string): number => {
      const document = Buffer.from(text);
      const runs = Array.from({ length: 5 }, () => {
        const began = performance.now();
        redact(document);
        return performance.now() - began;
      });
      return Math.min(...runs);
    };
    for (const part of ["<a passwd='x' ", '<secret>', '<a  \t\n  ', "<a b='c' d='e'", '<!--', '<![CDATA[', 'secret=']) {
      const small = time(part.repeat(20_000));
      expect(time(part.repeat(80_000))).toBeLessThan(16 * Math.max(small, 1));
    }
  });
});

const name = fc.constantFrom('domain', 'devices', 'x:graphics', 'channel', 'passwords', 'cookies', 'metadata');
const safe = fc.string({ maxLength: 8 }).map((text) => text.replace(/[<&'"\0]/gu, '.').replaceAll(']]>', '.'));
const secret = fc.uuid().map((id) => `SECRET${id.slice(0, 8)}`);
const quote = fc.constantFrom("'", '"');
const gap = fc.constantFrom(' ', '\n\t', '  ');

/** A piece of XML with what it must become. */
type Piece = readonly [before: string, after: string];
const join = (pieces: readonly Piece[]): Piece => [pieces.map(([a]) => a).join(''), pieces.map(([, b]) => b).join('')];

const plainAttribute = fc
  .tuple(gap, fc.constantFrom('type', 'port', 'passwdValidTo', 'p:uuid'), safe, quote)
  .map(([space, key, value, q]): Piece => {
    const text = `${space}${key}=${q}${value}${q}`;
    return [text, text];
  });
const secretAttribute = fc
  .tuple(gap, fc.constantFrom('passwd', 'password', 'x:passwd', 'passphrase', 'secret'), secret, quote)
  .map(([space, key, value, q]): Piece => [`${space}${key} = ${q}${value}>${q}`, `${space}${key} = ${q}***${q}`]);
const attributes = fc.array(fc.oneof(plainAttribute, secretAttribute), { maxLength: 4 }).map(join);

const { document: generated } = fc.letrec<{ document: Piece; node: Piece }>((tie) => ({
  document: fc
    .tuple(name, attributes, fc.array(tie('node'), { maxLength: 5 }).map(join))
    .map(([tag, [a, b], [inside, blanked]]): Piece => [
      `<${tag}${a}>${inside}</${tag}>`,
      `<${tag}${b}>${blanked}</${tag} >`.replace(/ >$/u, '>'),
    ]),
  node: fc.oneof(
    { depthSize: 'small' },
    safe.map((text): Piece => [text, text]),
    safe.map((text): Piece => [`<!--${text.replaceAll('-', '.')}-->`, `<!--${text.replaceAll('-', '.')}-->`]),
    safe.map((text): Piece => [`<![CDATA[<a passwd='${text}'>]]>`, `<![CDATA[<a passwd='${text}'>]]>`]),
    fc
      .tuple(fc.constantFrom('secret', 'passwd', 'v:password', 'cookie'), attributes, secret)
      .map(([tag, [a, b], text]): Piece => [`<${tag}${a}>${text}</${tag}>`, `<${tag}${b}>***</${tag}>`]),
    fc
      .tuple(attributes, secret)
      .map(([[a, b], text]): Piece => [
        `<secret${a}><value>${text}</value></secret>`,
        `<secret${b}><value>***</value></secret>`,
      ]),
    tie('document'),
  ),
}));

describe('any document', () => {
  it('loses its secrets and nothing else', () => {
    fc.assert(
      fc.property(generated, ([before, after]) => {
        const result = redacted(before);
        expect(result).toBe(after);
        expect(result).not.toContain('SECRET');
      }),
      { numRuns: 300 },
    );
  });

  it('that is no XML is given up or loses what looks like a secret, and is never a crash', () => {
    const bytes = fc.array(fc.constantFrom('<', '>', '/', "'", '"', '=', ' ', 'passwd', 'secret', '<!--', '-->', 'x'));
    fc.assert(
      fc.property(bytes, (parts) => {
        const document = Buffer.from(parts.join(''));
        const result = redact(document);
        expect(result === null || result.length <= document.length * 3).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
