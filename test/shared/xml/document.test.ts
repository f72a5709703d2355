import { describe, expect, it } from 'vitest';
import { bounds } from '../../../src/contract/limits.js';
import { loadXml } from '../../../src/shared/xml/document.js';
import type { OpenDocument } from '../../../src/shared/xml/document.js';

const uuid = '6f1d4f4a-3b7c-4f0e-9a3e-0c8d5a1b2c3d';
const domain = Buffer.from(`<domain type='qemu' id='1' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>
  <name>tiny</name>
  <uuid>${uuid}</uuid>
  <memory unit='KiB'>65536</memory>
  <vcpu placement='static'>2</vcpu>
  <devices><disk type='file'/><disk type='block'/></devices>
  <qemu:commandline><qemu:arg value='-x'/></qemu:commandline>
</domain>`);
const hookData = (name: string): Buffer =>
  Buffer.from(`<hookData><network><name>${name}</name><uuid>${uuid}</uuid></network></hookData>`);

const xml = await loadXml();

function using<T>(document: Buffer, use: (open: OpenDocument) => T): T {
  const open = xml.open(document);
  try {
    return use(open);
  } finally {
    open.close();
  }
}
const select = (document: Buffer, xpath: string) => using(document, (open) => open.select(xpath));

describe('select', () => {
  it('gives the string value of each node in document order', () => {
    expect(select(domain, '/domain/name')).toEqual({ ok: ['tiny'] });
    expect(select(domain, '//disk/@type')).toEqual({ ok: ['file', 'block'] });
    expect(select(domain, '//disk[2]/@type | //name')).toEqual({ ok: ['tiny', 'block'] });
    expect(select(domain, '/domain/nothing')).toEqual({ ok: [] });
  });

  it('gives one string for a number, a string or a boolean', () => {
    expect(select(domain, 'count(//disk)')).toEqual({ ok: ['2'] });
    expect(select(domain, 'string(/domain/@type)')).toEqual({ ok: ['qemu'] });
    expect(select(domain, '/domain/memory > 65535')).toEqual({ ok: ['true'] });
  });

  it('knows the prefixes that the root element declares', () => {
    expect(select(domain, '//qemu:arg/@value')).toEqual({ ok: ['-x'] });
  });

  it('says what is wrong with an expression', () => {
    for (const xpath of ['///', 'nope(', '$variable', 'unknown:x', '', 'a\0b', `/a${'/b'.repeat(3_000)}`]) {
      expect(select(domain, xpath)).toMatchObject({ error: { tag: 'bad-xpath' } });
    }
    expect(select(domain, '//namespace::*')).toMatchObject({ error: { tag: 'bad-xpath' } });
  });

  it('survives the deepest expression that it accepts, and answers the next one', () => {
    const nested = (open: string, close: string, depth: number): string =>
      `${open.repeat(depth)}1${close.repeat(depth)}`;
    for (const [open, close] of [
      ['(', ')'],
      ['a[', ']'],
      ['not(', ')'],
      ['1+(', ')'],
    ] as const) {
      expect(select(domain, nested(open, close, 64))).toHaveProperty('ok');
      expect(select(domain, nested(open, close, 65))).toEqual({
        error: { tag: 'bad-xpath', val: 'it is nested deeper than 64 levels; use several expressions' },
      });
    }
    for (const chain of ['-', '/.', '+1', '|a', '//a', '=1', '[1]']) {
      expect(select(domain, `/a${chain.repeat(1_000)}`.slice(0, 1_024).replace(/\W+$/u, ''))).toBeDefined();
    }
    expect(select(domain, '/domain/name')).toEqual({ ok: ['tiny'] });
  });

  it('refuses what is not XML', () => {
    for (const text of ['', 'hello', '<a>', '<a></b>', '<a/><b/>', '<a b=c/>']) {
      expect(select(Buffer.from(text), '/*')).toMatchObject({ error: { tag: 'not-xml' } });
    }
  });

  it('refuses a document type, so that no entity is expanded or fetched', () => {
    const bomb = `<!DOCTYPE a [<!ENTITY x "ha"><!ENTITY y "&x;&x;"><!ENTITY z SYSTEM "file:///etc/passwd">]><a b="&y;">&z;</a>`;
    for (const text of [bomb, `<?xml version="1.0"?><!-- c -->\n<?pi x?>\n${bomb}`, '<!DOCTYPE a><a/>']) {
      expect(select(Buffer.from(text), '/a')).toEqual({
        error: { tag: 'not-xml', val: 'it declares a document type' },
      });
    }
  });

  it('reads UTF-8, and nothing that declares another encoding', () => {
    const declared = (encoding: string): Buffer =>
      Buffer.from(`<?xml version="1.0" encoding="${encoding}"?><a>\u00e9</a>`);
    expect(select(declared('UTF-8'), '/a')).toEqual({ ok: ['\u00e9'] });
    const error = { tag: 'not-xml', val: "it declares the encoding 'ISO-8859-1'" };
    expect(select(declared('ISO-8859-1'), '/a')).toEqual({ error });
  });

  it('keeps a U+FEFF at the beginning of a text of any length', () => {
    for (const text of ['\ufeffweb', `\ufeff${'web'.repeat(20)}`]) {
      expect(select(Buffer.from(`<a b="${text}">${text}</a>`), '/a | /a/@b')).toEqual({ ok: [text, text] });
    }
  });

  it('answers too-large above the bounds', () => {
    const many = Buffer.from(`<a>${'<b/>'.repeat(bounds.selectNodes + 1)}</a>`);
    expect(select(many, '//b')).toEqual({ error: { tag: 'too-large' } });
    expect(select(many, 'count(//b)')).toEqual({ ok: [String(bounds.selectNodes + 1)] });
    const big = Buffer.from(`${'<a>'.repeat(65)}${'x'.repeat(bounds.selectBytes / 64)}${'</a>'.repeat(65)}`);
    expect(select(big, '//a')).toEqual({ error: { tag: 'too-large' } });
  });

  it('frees its memory: 20,000 documents do not grow the process', () => {
    const round = (count: number): void => {
      for (let i = 0; i < count; i += 1) using(domain, (open) => [open.select('//disk/@type'), open.select('$bad')]);
    };
    round(2_000);
    const before = process.memoryUsage().rss;
    round(20_000);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * 1024 * 1024);
  });
});

describe('checkReplacement', () => {
  const replaced = (from: string, to: string): Buffer => Buffer.from(domain.toString().replace(from, to));

  it('accepts a document of the same object', () => {
    expect(xml.checkReplacement(domain, replaced('65536', '1024'))).toBeNull();
    expect(xml.checkReplacement(domain, replaced(uuid, uuid.toUpperCase()))).toBeNull();
    expect(xml.checkReplacement(hookData('a'), hookData('a'))).toBeNull();
  });

  it('says why libvirt could not use the document', () => {
    expect(xml.checkReplacement(domain, Buffer.from('no'))).toMatch(/^it is not XML: .*; write XML 1.0 in UTF-8$/u);
    expect(xml.checkReplacement(domain, hookData('tiny'))).toBe(
      "its root element is 'hookData', the document to be replaced has 'domain'",
    );
    expect(xml.checkReplacement(domain, replaced('tiny', 'b\u001b[2J'))).toMatch(/^it is not XML: /u);
    expect(xml.checkReplacement(domain, replaced('tiny', 'other'))).toBe(
      "its name is 'other', the document to be replaced has 'tiny'",
    );
    expect(xml.checkReplacement(domain, replaced(`<uuid>${uuid}</uuid>`, ''))).toBe(
      `its UUID is '', the document to be replaced has '${uuid}'`,
    );
    expect(xml.checkReplacement(hookData('a'), hookData('b'))).toMatch(/^its name is 'b'/u);
    expect(xml.checkReplacement(domain, Buffer.from(`<!DOCTYPE domain>${domain.toString()}`))).toBe(
      'it declares a document type; write XML 1.0 in UTF-8',
    );
  });

  const long = 'a-name-of-more-than-sixteen-bytes';
  it.each([
    ['tiny', 'tiny '],
    ['tiny', ' tiny'],
    ['tiny', '\ntiny\n'],
    ['tiny', 'tiny\u00a0'],
    ['tiny', '\ufefftiny'],
    [long, `\ufeff${long}`],
    [long, `${long}\ufeff`],
    ['tiny', 'tiny\u2003'],
    ['tiny', 'tiny\u200b'],
    ['tiny', 'Tiny'],
    ['caf\u00e9', 'cafe\u0301'],
  ])('keeps %j from becoming %j, which is another name for libvirt', (before, after) => {
    const named = (name: string): Buffer => replaced('<name>tiny<', `<name>${name}<`);
    expect(xml.checkReplacement(named(before), named(after))).toMatch(/^its name is /u);
    expect(xml.checkReplacement(named(after), named(before))).toMatch(/^its name is /u);
    expect(xml.checkReplacement(named(after), named(after))).toBeNull();
  });

  it('takes the first name, as libvirt does', () => {
    expect(xml.checkReplacement(domain, replaced('<uuid>', '<name>other</name><uuid>'))).toBeNull();
    expect(xml.checkReplacement(domain, replaced('<name>', '<name>other</name><name>'))).toMatch(/'other'/u);
    expect(xml.checkReplacement(domain, replaced('<name>tiny', '<name>ti<x>ny</x>'))).toBeNull();
  });

  it.each([
    [uuid.toUpperCase(), true],
    [uuid.replaceAll('-', ''), true],
    [` \n\t${uuid}\r\n `, true],
    [uuid.replaceAll('-', '- -'), true],
    [`-${uuid}`, true],
    [`${uuid}-`, false],
    [`\u00a0${uuid}`, false],
    [`\ufeff${uuid}`, false],
    [uuid.replace('6f', '6-f'), false],
    [uuid.replace('6f', '6e'), false],
    [uuid.slice(0, -1), false],
    [`${uuid}0`, false],
    ['', false],
  ])('reads the UUID %j as libvirt does: the same is %s', (text, same) => {
    const problem = xml.checkReplacement(domain, replaced(`<uuid>${uuid}`, `<uuid>${text}`));
    if (same) expect(problem).toBeNull();
    else expect(problem).toMatch(/^its UUID is /u);
  });
});
