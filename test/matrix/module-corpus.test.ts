import { describe, expect, it } from 'vitest';
import { HookvisorError } from '../../src/contract/errors.js';
import { admitPlugin } from '../../src/admission/admit.js';
import { moduleCorpus } from './module-corpus.mjs';

const memoryBytes = 64 * 1024 * 1024;

/** The answer for each module of the corpus: null when it is admitted, else the error. */
async function answers(): Promise<Map<string, HookvisorError | null>> {
  const found = new Map<string, HookvisorError | null>();
  for (const { title, bytes } of moduleCorpus()) {
    try {
      await admitPlugin(bytes, { backend: 'extism', memoryBytes });
      found.set(title, null);
    } catch (error) {
      if (!(error instanceof HookvisorError)) throw new Error(`'${title}' ends in no refusal`, { cause: error });
      found.set(title, error);
    }
  }
  return found;
}

const numbers = '7b 7c 7d 7e 7f';
const references = '6f 70';
const values = `${references} ${numbers}`;
/** Type 0 or 1 of the module, nothing, or one value. 81 is 1 together with the byte 00 that follows it. */
const block = `00 01 40 ${values} 8000 81`;

/** By place, the bytes that may stand there, where V8 of every version agrees. */
const admitted: Record<string, string> = {
  'a parameter': values,
  'a result': values,
  'a local': values,
  'no local': values,
  'a block': block,
  'a loop': block,
  'an if': block,
  'a select': values,
  'ref.null': references,
  'a global without a value': references,
  'a table': references,
  'passive elements': references,
  'elements of a table': '70',
  'declared elements': references,
};

describe('the corpus of modules', () => {
  it('has every type refused by name wherever a type can stand, except for those of the closed list', async () => {
    const found = await answers();
    const places = new Map<string, string[]>();
    for (const [title, error] of found) {
      const [place = '', type = ''] = title.split(': ');
      if (error === null && Object.hasOwn(admitted, place)) places.set(place, [...(places.get(place) ?? []), type]);
      if (/: 6[34](?:00|20|70|f07f)$/u.test(title) && Object.hasOwn(admitted, place)) {
        expect(error?.message, title).toMatch(/it uses (?:the value type 'ref (?:null )?\S+'|WebAssembly's)/u);
      }
      // The second decoder has nothing to object to: the first one is as strict.
      expect(error?.message ?? '', title).not.toContain('can be read in two ways');
      expect(error?.code ?? 'plugin-refused', title).toMatch(/^plugin-(?:refused|invalid)$/u);
    }
    expect(Object.fromEntries([...places].map(([place, types]) => [place, types.sort().join(' ')]))).toEqual(
      Object.fromEntries(Object.entries(admitted).map(([place, types]) => [place, types.split(' ').sort().join(' ')])),
    );
    expect(found.size).toBeGreaterThan(30_000);
  }, 120_000);
});
