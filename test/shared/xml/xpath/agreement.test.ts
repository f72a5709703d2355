import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadXml } from '../../../../src/shared/xml/document.js';
import { Budget } from '../../../../src/shared/xml/xpath/budget.js';
import { xmlDocument, xpathExpression } from '../../../support/xpath.js';

const xml = await loadXml();
// Loaded before by loadXml, so that it prints no expression.
const { ParseOption, XmlDocument, XmlXPath } = await import('libxml2-wasm');

/** What libxml2's own evaluator makes of it. */
function libxml2(text: string, xpath: string): readonly string[] | 'bad-xpath' {
  const document = XmlDocument.fromBuffer(Buffer.from(text), {
    encoding: 'UTF-8',
    option: ParseOption.XML_PARSE_NONET,
  });
  try {
    const compiled = XmlXPath.compile(xpath, { p: 'urn:p', q: 'urn:q' });
    const found = document.eval(compiled);
    compiled.dispose();
    return Array.isArray(found) ? found.map(({ content }) => content) : [String(found)];
  } catch {
    return 'bad-xpath';
  } finally {
    document.dispose();
  }
}

function ours(text: string, xpath: string): readonly string[] | 'bad-xpath' {
  const open = xml.open(Buffer.from(text));
  try {
    const selection = open.select(xpath, new Budget({ steps: 1e9, bytes: 1e9 }));
    return 'ok' in selection ? selection.ok : 'bad-xpath';
  } finally {
    open.close();
  }
}

it('a select answers what libxml2 answers, for generated documents and expressions', { timeout: 120_000 }, () => {
  fc.assert(
    fc.property(xmlDocument, fc.array(xpathExpression, { minLength: 1, maxLength: 5 }), (text, xpaths) => {
      for (const xpath of xpaths) expect([xpath, ours(text, xpath)]).toEqual([xpath, libxml2(text, xpath)]);
    }),
    { numRuns: Number(process.env['HOOKVISOR_XPATH_RUNS'] ?? 3_000) },
  );
});

const guest = `<domain type="kvm" id="3"><name>web</name><uuid>1f2e</uuid><title> a  title </title><vcpu placement="static">4</vcpu>
  <metadata><o:owner xmlns:o="urn:p">team</o:owner></metadata><os><type arch="x86_64" machine="q35">hvm</type></os>
  <devices><disk type="file"><source file="/a.img"/><target dev="vda"/></disk><disk type="block"><source dev="/dev/sda"/></disk>
  <interface type="network"><mac address="52:54:00:00:00:01"/><source network="default"/></interface><hostdev managed="yes"/></devices></domain>`;

it.each([
  '/domain/os/type/@machine',
  '//disk[@type="file"]/source/@file',
  '//disk[last()]/source/@*',
  '/domain/devices/*[self::hostdev or self::interface]/@*',
  'count(//disk) > 1',
  'number(/domain/vcpu) * 1.1',
  '/domain/devices/interface[source/@network="default"]/mac/@address',
  'normalize-space(/domain/title)',
  'translate(/domain/name, "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")',
  'substring-before(//mac/@address, ":")',
  '//*[local-name()="owner" and namespace-uri()="urn:p"]',
  '(//disk | //hostdev)[2]',
  '//mac/ancestor::*[1]/@type',
  'sum(//vcpu) div 3',
])('a select answers what libxml2 answers, for what policies ask: %s', (xpath) => {
  const answer = ours(guest, xpath);
  expect(answer).toEqual(libxml2(guest, xpath));
  expect(answer).not.toHaveLength(0);
});
