import fc from 'fast-check';
import { ParseOption, XmlDocument, XmlXPath } from 'libxml2-wasm';
import { expect, it } from 'vitest';
import { loadXml } from '../../../src/libvirt/document.js';
import { Budget } from '../../../src/libvirt/xpath/budget.js';
import { xmlDocument, xpathExpression } from '../../support/xpath.js';

const xml = await loadXml();

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
