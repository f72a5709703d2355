import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadComponent } from '../../../src/runner/component.js';
import { buildTypeScript } from '../../../src/commands/build/typescript.js';
import { defaultLimits } from '../../../src/contract/limits.js';
import { seededRandom } from '../../../src/guest/seeded-random.js';
import { admitPlugin } from '../../../src/admission/admit.js';
import { hookvisor } from '../../support/command.js';
import { hookCall } from '../../support/plugins.js';
import { serve } from '../../support/runtime.js';
import { temporaryFolder, write } from '../../support/temp.js';

/** Denies with random numbers from everywhere that a plugin can ask for one. */
const code = `import { deny, seededRandom, settings, type Configurable, type Handler } from 'hookvisor/guest';

const { random } = Math;
const built = Math.random();

export const handler: Handler = {
  handle: ({ name }) => deny(JSON.stringify([random(), Math.random(), seededRandom(name)(), built])),
};

export const configurable: Configurable = {
  validate() {
    if ('object' in settings()) throw new Error(String(Math.random()));
  },
};
`;

const numbersSchema = z.tuple([z.number(), z.number(), z.number(), z.number()]);

let plugin: Buffer = Buffer.alloc(0);
let load: (settings?: object) => ReturnType<typeof loadComponent>;
beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hookvisor-test-'));
  try {
    const source = join(folder, 'main.ts');
    await writeFile(source, code);
    plugin = await buildTypeScript({ folder, name: 'random', language: 'ts', source, output: '' });
    const artefact = await admitPlugin(plugin, { backend: 'component', memoryBytes: defaultLimits.memoryBytes });
    load = (settings = {}) => loadComponent({ artefact, settings: JSON.stringify(settings), limits: defaultLimits });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}, 120_000);

describe("Math.random in a plugin of 'hookvisor build'", { timeout: 120_000 }, () => {
  it('is seeded from the id of the event: the same for the same id, and another for another', async () => {
    const guests = [await load(), await load()];
    const numbersOf = async (id: string, guest = guests[0]): Promise<z.infer<typeof numbersSchema>> => {
      const evaluation = await guest?.evaluate(hookCall(null, { id, name: 'tiny' }));
      return numbersSchema.parse(JSON.parse(z.object({ reason: z.string() }).parse(evaluation?.outcome).reason));
    };
    const built = seededRandom('')();
    for (const id of ['00000000-0000-4000-8000-000000000001', 'b1946ac9-2492-4d23-8c6f-235b4d2611f4', '']) {
      const next = seededRandom(id);
      const expected = [next(), next(), seededRandom('tiny')(), built];
      expect(await numbersOf(id)).toEqual(expected);
      expect(await numbersOf(id)).toEqual(expected);
      expect(await numbersOf(id, guests[1])).toEqual(expected);
    }
    const firsts = await Promise.all(Array.from({ length: 10 }, async (_, at) => (await numbersOf(`event ${at}`))[0]));
    expect(new Set(firsts).size).toBe(10);
  });

  it('has no event to follow while settings are checked', async () => {
    const next = seededRandom('');
    // The first number was taken when the plugin was built.
    next();
    const guest = await load({ object: true });
    expect(await guest.validate()).toContain(String(next()));
  });

  it('gives a journaled event the numbers that it had when it is replayed', async () => {
    const dir = temporaryFolder();
    await write(dir, 'random.wasm', plugin);
    const { runtime, configFile, journaled } = await serve(
      `handlers: { random: { backend: component, source: random.wasm, failurePolicy: fail } }
routes: [ { match: {}, handlers: [random] } ]`,
      dir,
    );
    const call = { driver: 'qemu', args: ['tiny', 'start', 'begin', '-'], document: Buffer.from('<domain/>') };
    for (let turn = 0; turn < 3; turn += 1) await runtime.hook(call);
    const reasons = journaled().map(({ handlers }) => JSON.stringify(handlers));
    expect(new Set(reasons).size).toBe(3);
    const { status, out } = await hookvisor(
      'replay',
      join(dir, 'journal'),
      '--config',
      configFile,
      '--exact',
      '--json',
    );
    expect(JSON.parse(out)).toMatchObject({ events: 3, compared: 3, same: 3, differing: 0 });
    expect(status).toBe(0);
  });
});
