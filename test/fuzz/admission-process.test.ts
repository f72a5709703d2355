import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HookvisorError } from '../../src/contract/errors.js';
import type { Artefact } from '../../src/contract/artefact.js';
import { createAdmission } from '../../src/runtime/plugins/admission.js';
import { createCache } from '../../src/runtime/plugins/cache.js';
import { createLauncher } from '../../src/runtime/isolation/launcher.js';
import { oneLine } from '../../src/contract/text.js';
import { componentShapes, coreShapes } from '../fixtures/hostile/shapes.js';
import { samplePlugin } from '../support/runtime.js';
import { temporaryFolder } from '../support/temp.js';
import { fuzz, fuzzTimeoutMs } from './fuzz.js';
import { mutate, mutations } from './mutate.js';

const launcher = createLauncher();
const megabyte = 1024 * 1024;
const memoryBytes = 64 * megabyte;

/** What the runtime may grow by, whatever is admitted: freed memory comes back late, a leak comes with every input. */
const mayGrow = 256 * megabyte;

interface Case {
  readonly backend: 'component' | 'extism';
  readonly bytes: Buffer;
  readonly task: 'admit' | 'vet';
}

/** Shapes that run to their bound take a minute, each; those are tried by size in test/admission/wasm/admission-bounds.test.ts. */
const shapes = Object.values({ ...coreShapes, ...componentShapes });
const samples = (['quota', 'tiny-allow', 'naming'] as const).map((name) => ({
  backend: name === 'quota' ? ('extism' as const) : ('component' as const),
  bytes: readFileSync(samplePlugin(name)),
}));

const base = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...samples) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...shapes), fc.integer({ min: 1, max: 300 }))
      .map(([{ backend, make }, size]) => ({ backend, bytes: make(size) })),
  },
);

const input: fc.Arbitrary<Case> = fc
  .tuple(base, mutations, fc.constantFrom('admit', 'admit', 'vet'), fc.boolean())
  .map(([{ backend, bytes }, changes, task, swapped]) => ({
    // A plugin for the other backend, now and then.
    backend: swapped && changes.length === 5 ? 'extism' : backend,
    bytes: mutate(bytes, changes),
    task,
  }));

/** Children of this process and theirs, which are the launcher's. */
function children(): number[] {
  const of = (pid: number): number[] =>
    readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number);
  return of(process.pid);
}

describe('the admission process', () => {
  it(
    'ends for any changed plugin with an artefact or one clean line of why not, and leaves nothing behind',
    async () => {
      const admission = createAdmission(launcher);
      const before = children();
      const folder = temporaryFolder();
      const warnings: string[] = [];
      const cache = createCache(folder, (level, message) => warnings.push(`${level}: ${message}`));
      let settled = 0;
      let rss = 0;
      await fuzz({
        name: 'admission-process',
        inputs: fc.tuple(input, input),
        save: (pair) => Buffer.concat(pair.map(({ bytes }) => bytes)),
        async holds(pair) {
          // Two at a time, as many as the runtime admits at once.
          await Promise.all(
            pair.map(async (one) => {
              const artefact = await settles(admission, one);
              if (artefact !== null) await cache.write({ ...artefact, memoryBytes }, artefact);
            }),
          );
          expect(admission.running()).toBe(0);
          expect(children().filter((pid) => !before.includes(pid))).toEqual([]);
          settled += 1;
          if (settled === 2) rss = process.memoryUsage().rss;
          if (settled > 2) expect(process.memoryUsage().rss - rss).toBeLessThan(mayGrow);
        },
      });
      await admission[Symbol.asyncDispose]();
      expect(warnings).toEqual([]);
      expect(readdirSync(folder).filter((name) => name !== 'key' && !name.endsWith('.artefact'))).toEqual([]);
    },
    fuzzTimeoutMs + 120_000,
  );
});

async function settles(
  admission: ReturnType<typeof createAdmission>,
  { backend, bytes, task }: Case,
): Promise<Artefact | null> {
  const digest = createHash('sha256').update(bytes).digest('hex');
  const limits = { memoryBytes, pluginBytes: 64 * megabyte };
  try {
    if (task === 'admit') {
      const artefact = await admission.admit({ backend, bytes, digest, ...limits });
      expect(artefact).toMatchObject({ backend, digest });
      return artefact;
    }
    const { reasons, verdict } = await admission.vet(bytes, limits);
    expect(reasons.length > 0).toBe(verdict === 'refused');
    for (const { message } of reasons) expect(oneLine(message, 1_000)).toBe(message);
  } catch (error) {
    if (!(error instanceof HookvisorError)) throw error;
    expect(['plugin-refused', 'plugin-invalid', 'admission-failed']).toContain(error.code);
    expect(error.message).toMatch(/^Cannot admit (?:the|a) plug-in: [^;]+; /u);
    expect(oneLine(error.message, 2_000)).toBe(error.message);
  }
  return null;
}
