import { describe, expect, it } from 'vitest';
import { costOfXPath, sizeOf } from '../../src/backends/xpath-cost.js';
import { componentBytes, failureFrom, hookCall, loadGuest } from '../support/plugins.js';

const document = `<domain>${'<disk type="file"/>'.repeat(500)}</domain>`;
const size = { bytes: 10_000, nodes: 300 };

describe('the cost of an XPath expression', () => {
  it.each([
    '/domain/name',
    '//disk[@type="file"]/source/@file',
    '/domain/devices/interface[source/@network="default"]/mac/@address',
    'count(//disk) > 4',
    '//disk | //interface | //hostdev',
  ])('is small for what policies ask: %s', (xpath) => {
    expect(costOfXPath(xpath, size)).toBeLessThan(100_000);
  });

  it.each([
    '//*[//*[//*[//*]]]',
    '//*//*//*//*',
    '//*/following::*/preceding::*/following::*',
    '(//*)//*[count(//*[//*]) > 0]',
    '//* = //*[//* = //*]',
    '//*[string-length(concat(string(/), string(/))) > count(//*[//*])]',
  ])('is beyond the fuel of an event for one that explodes: %s', (xpath) => {
    expect(costOfXPath(xpath, { bytes: 50_000, nodes: 2_000 })).toBeGreaterThan(50_000_000);
  });

  it('takes no account of what stands in a literal', () => {
    expect(costOfXPath(`/a[. = '//*[//*]']`, size)).toBe(costOfXPath(`/a[. = '']`, size));
  });

  it('is a number for anything', () => {
    for (const xpath of [']]]', '((((', '//'.repeat(500), '[//'.repeat(300), '']) {
      expect(Number.isSafeInteger(costOfXPath(xpath, size))).toBe(true);
    }
  });

  it('counts elements and attributes', () => {
    expect(sizeOf(Buffer.from('<a b="1"><c/></a>')).nodes).toBeGreaterThanOrEqual(3);
  });

  it('ends an expression that explodes before it is evaluated', async () => {
    const xpath = '//*[//*[//*[//*[//*]]]]';
    const bytes = await componentBytes({
      imports: '(import "hookvisor:hook/document@0.1.0" "select" (func $call (param i32 i32 i32)))',
      fields: `(data (i32.const 1024) "${xpath}")`,
      handle: `(call $call (i32.const 1024) (i32.const ${xpath.length}) (i32.const 2048)) (i32.const 0)`,
    });
    const guest = await loadGuest('component', bytes, { limits: { fuel: 1_000_000_000 } });
    expect(await failureFrom(guest.evaluate(hookCall(document)))).toMatchObject({ failure: 'out-of-fuel' });
  });
});
