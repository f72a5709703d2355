import { describe, expect, it } from 'vitest';
import { loadXml } from '../../../../src/shared/xml/document.js';
import { Budget, BudgetSpent } from '../../../../src/shared/xml/xpath/budget.js';
import { bounds, defaultLimits } from '../../../../src/contract/limits.js';
import { componentBytes, failureFrom, hookCall, loadGuest } from '../../../support/plugins.js';

const xml = await loadXml();
const mostMs = 50;

const flat = `<domain xmlns:p="urn:p">${'<x/>'.repeat(8_000)}<b>1</b></domain>`;
const letters = `<domain><b>${'ab'.repeat(40_000)}</b></domain>`;
const two = `<domain>${'<x>1</x>'.repeat(6_000)}${'<y>2</y>'.repeat(6_000)}</domain>`;
const deep = `${'<domain>'.repeat(250)}${'x'.repeat(50_000)}${'</domain>'.repeat(250)}`;
const manyNames = `<domain ${Array.from({ length: 2_000 }, (_, at) => `xmlns:n${at}="u"`).join(' ')}>${'<x/>'.repeat(9_000)}</domain>`;

/** What libxml2's own evaluator takes seconds to years for, or gigabytes. */
const dear: readonly (readonly [string, string])[] = [
  ['count(/domain/x/namespace::*)', manyNames],
  ['string-length(translate(/,/domain/b,/domain/b))', letters],
  ['/domain/x[/domain/x=/domain/y]', two],
  ['//*[//*[//*[//*]]]', flat],
  ['//*//*//*//*', flat],
  ['//*/following-sibling::*/preceding-sibling::*', flat],
  ['//x[position()=last()]/../*/../*', flat],
  ['//* = //*[//* = //*]', two],
  ['count(//*[string-length(concat(/, /, /, /)) > 1])', deep],
  ['count(//*[. = //*])', deep],
  ['count(//*[contains(/, concat(/, "y"))])', letters],
  ['count(//x[string(position() div 7) = /])', two],
];

function cpuMsOf(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
}

/** The least of a few measurements, because others use the processor as well. */
function leastMs(work: () => void): number {
  return Math.min(...Array.from({ length: 4 }, () => cpuMsOf(work)));
}

function asked(document: Buffer, xpath: string, bytes: number = defaultLimits.memoryBytes): string {
  const open = xml.open(document);
  try {
    return 'ok' in open.select(xpath, new Budget({ steps: bounds.selectSteps, bytes })) ? 'answered' : 'refused';
  } catch (error) {
    if (error instanceof BudgetSpent) return error.what;
    throw error;
  } finally {
    open.close();
  }
}

async function guestThatAsks(xpath: string, memoryBytes: number) {
  const bytes = await componentBytes({
    imports: '(import "hookvisor:hook/document@0.1.0" "select" (func $call (param i32 i32 i32)))',
    fields: `(data (i32.const 1024) "${xpath.replaceAll('"', '\\22')}")`,
    handle: `(call $call (i32.const 1024) (i32.const ${xpath.length}) (i32.const 2048)) (i32.const 0)`,
  });
  return loadGuest('component', bytes, { limits: { fuel: 1_000_000_000, memoryBytes } });
}

describe('a select ends within 50 ms', () => {
  it.each(dear)('%s', (xpath, text) => {
    const document = Buffer.from(text);
    expect(leastMs(() => asked(document, xpath))).toBeLessThan(mostMs);
  });

  it.each([
    ['one text', `<domain><b>${'x'.repeat(bounds.documentBytes - 100)}</b></domain>`],
    ['many elements', `<domain>${'<x/>'.repeat(bounds.documentBytes / 4 - 100)}</domain>`],
    ['references', `<domain>${'&amp;'.repeat(bounds.documentBytes / 5 - 100)}</domain>`],
  ])('of the largest document: %s', (_, text) => {
    const document = Buffer.from(text);
    let outcome = '';
    const ms = leastMs(() => {
      outcome = asked(document, 'concat(/,/,/,/,/)');
    });
    expect([outcome, ms < mostMs]).toEqual(['steps', true]);
  });
});

describe('a handler whose select takes too much', () => {
  const memoryBytes = 64 * 1024 * 1024;

  it('fails as out of fuel, though it has fuel left, and reads what to do', async () => {
    const guest = await guestThatAsks('//*[//*[//*]]', memoryBytes);
    const failure = await failureFrom(guest.evaluate(hookCall(flat)));
    expect(failure).toMatchObject({ failure: 'out-of-fuel' });
    expect(failure.message).toBe(
      'one select needs more than its limit of 2500000 steps; ' +
        'select less at once: write the whole path without //, and no path from the root within [ ]',
    );
    expect(failure.fuel).toBeLessThan(3_000_000);
  });

  it('fails as out of memory where its strings do not fit into its memory', async () => {
    const xpath = 'string-length(concat(/,/,/,/,/,/,/,/,/,/))';
    const guest = await guestThatAsks(xpath, 2 * 1024 * 1024);
    const failure = await failureFrom(guest.evaluate(hookCall(letters)));
    expect(failure).toMatchObject({ failure: 'out-of-memory' });
    expect(failure.message).toContain(
      "one select needs more than the plug-in's limit of 2097152 bytes of memory; select less",
    );
  });

  it('is not charged more than once for reading the document', () => {
    const open = xml.open(Buffer.from(two));
    const steps = [1, 2, 3].map(() => {
      const budget = new Budget({ steps: 1e9, bytes: 1e9 });
      open.select('count(/domain/x)', budget);
      return budget.steps;
    });
    open.close();
    expect(steps[1]).toBe(steps[2]);
    expect(steps[0]).toBeGreaterThan((steps[1] ?? 0) + two.length);
  });
});

it.each(['/domain/name', '//disk[@type="file"]/source/@file', 'count(//disk) > 4', '//disk | //interface | //hostdev'])(
  'what policies ask is cheap: %s',
  (xpath) => {
    const disks = '<disk type="file"><source file="/a"/><target dev="vda"/></disk>'.repeat(100);
    const open = xml.open(Buffer.from(`<domain><name>a</name><devices>${disks}</devices></domain>`));
    const budget = new Budget({ steps: bounds.selectSteps, bytes: defaultLimits.memoryBytes });
    expect(open.select(xpath, budget)).toMatchObject({ ok: expect.any(Array) as unknown });
    open.close();
    expect(budget.steps).toBeLessThan(100_000);
  },
);
