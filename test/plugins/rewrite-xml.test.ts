import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { rewriteXml } from '../../plugins/migration-rewrite/rewrite-xml.js';
import { captures } from '../support/captures.js';

const documents = captures.flatMap(({ stdin }) => (stdin === null ? [] : [stdin]));

/** Every place of a document with its value, in order. */
function placesOf(xml: string): string[] {
  const places: string[] = [];
  rewriteXml(xml, (place, value) => {
    if (value.trim() !== '') places.push(`${place} ${value}`);
    return value;
  });
  return places;
}

describe('rewriteXml', () => {
  it('keeps every byte of every recorded document when nothing changes', () => {
    for (const xml of documents) expect(rewriteXml(xml, (_, value) => value)).toBe(xml);
  });

  it('names texts and attributes by their place', () => {
    const xml = `<a b = "1"><?pi <x y='2'/>?><c/><d e='&lt;3"' f="4'>">5</d><!-- <g>6</g> -->7<![CDATA[<h>8</h>]]></a>`;
    expect(placesOf(xml)).toEqual(['/a/@b 1', '/a/d/@e <3"', `/a/d/@f 4'>`, '/a/d 5', '/a 7']);
  });

  it('reads back whatever was written', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        for (const xml of [`<a b="old"/>`, `<a b='old'></a>`, '<a>old</a>']) {
          const written = rewriteXml(xml, (_, value) => (value === 'old' ? text : value));
          const read: string[] = [];
          rewriteXml(written, (_, value) => {
            read.push(value);
            return value;
          });
          expect(read.join('')).toBe(text);
        }
      }),
      { examples: [['&lt;'], [`"'<>`], ['&#65;']] },
    );
  });

  it('writes what a parser would change or end the value with as references', () => {
    expect(rewriteXml(`<a b='old'/>`, () => `"'<>&\t\n\r`)).toBe(`<a b='&#34;&#39;&#60;&#62;&#38;&#9;&#10;&#13;'/>`);
  });

  it('refuses a document type', () => {
    expect(() => placesOf('<!DOCTYPE a><a/>')).toThrow('the document declares a document type');
  });
});
