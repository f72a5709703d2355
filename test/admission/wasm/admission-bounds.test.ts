import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createAdmission } from '../../../src/runtime/plugins/admission.js';
import type { AdmissionLimits } from '../../../src/runtime/plugins/admission.js';
import { admitPlugin } from '../../../src/admission/admit.js';
import { createLauncher } from '../../../src/runtime/isolation/launcher.js';
import { HookvisorError } from '../../../src/contract/errors.js';
import { componentShapes, coreShapes } from '../../fixtures/hostile/shapes.js';
import type { Shape } from '../../fixtures/hostile/shapes.js';
import { errorOf, isAlive, samplePlugin } from '../../support/sandbox.js';

const memoryBytes = 64 * 1024 * 1024;
const limits = { memoryBytes, pluginBytes: 64 * 1024 * 1024 };

/** Admission with limits of its own, and the processes that it started. */
function admissionWith(own: AdmissionLimits) {
  const launcher = createLauncher();
  const pids: number[] = [];
  const admission = createAdmission(
    {
      ...launcher,
      launch(kind, memoryMiB) {
        const child = launcher.launch(kind, memoryMiB);
        if (child.pid !== null) pids.push(child.pid);
        return child;
      },
    },
    own,
  );
  const admit = (backend: Shape['backend'], bytes: Buffer) =>
    admission.admit({ backend, bytes, digest: createHash('sha256').update(bytes).digest('hex'), ...limits });
  return { admission, pids, admit };
}

const good = (): Buffer => readFileSync(samplePlugin('quota'));

describe('an admission that does not end', () => {
  it(
    'is killed at its deadline, the error names it, and the next plugin is admitted',
    { timeout: 90_000 },
    async () => {
      const { admission, pids, admit } = admissionWith({ deadlineMs: 200, memoryMiB: 4_096 });
      // Takes about a second.
      const error = await errorOf(admit('component', readFileSync(samplePlugin('naming'))));
      expect(error.code).toBe('admission-failed');
      expect(error.message).toBe(
        "Cannot admit a plug-in: it took more than 0.2 s; check the plug-in with 'hookvisor vet', or build it again",
      );
      expect(error.fields).toEqual({ deadlineMs: 200, memoryMiB: 4_096 });
      expect(pids.filter(isAlive)).toEqual([]);
      expect(admission.running()).toBe(0);
      await using other = admissionWith({ deadlineMs: 60_000, memoryMiB: 4_096 }).admission;
      const bytes = good();
      const digest = createHash('sha256').update(bytes).digest('hex');
      expect(await other.admit({ backend: 'extism', bytes, digest, ...limits })).toMatchObject({ digest });
    },
  );

  it('without enough memory ends at a bound, the error names it, and the next is admitted by the same', async () => {
    const { admission, pids, admit } = admissionWith({ deadlineMs: 20_000, memoryMiB: 192 });
    await using open = admission;
    const error = await errorOf(admit('extism', coreShapes.elements.make(9_000_000)));
    expect(error.code).toBe('admission-failed');
    // Short of memory, V8 either gives up or collects garbage until the deadline.
    expect(error.message).toMatch(
      /^Cannot admit a plug-in: it took more (?:memory than admission has \(192 MiB, a quarter of it for objects\)|than 20 s); check/u,
    );
    expect(error.fields).toEqual({ deadlineMs: 20_000, memoryMiB: 192 });
    expect(pids.filter(isAlive)).toEqual([]);
    expect(await admit('extism', good())).toMatchObject({ backend: 'extism' });
    expect(open.running()).toBe(0);
  }, 90_000);
});

describe('what grows with a plugin', () => {
  const floods: [string, Shape, number, RegExp][] = [
    ['sections', coreShapes.customSections, 400_000, /it has 10001 sections; at most 10000 are allowed/u],
    ['imports', coreShapes.foreignImports, 100_000, /it has 100000 imports; at most 10000/u],
    ['memories', coreShapes.memories, 400_000, /it has 400000 memories; at most 4/u],
    ['types', coreShapes.types, 100_000, /it has 100002 types; at most 20000/u],
    [
      'adapters',
      componentShapes.liftedFunctions,
      16_000,
      /it has 1001 functions that it lifts or lowers; at most 1000/u,
    ],
    ['modules', componentShapes.siblingModules, 8_000, /it has 1001 modules and components inside it; at most 1000/u],
    ['imported interfaces', componentShapes.importedInstances, 12_000, /it has 12000 imports; at most 10000/u],
  ];

  it.each(floods)(
    'a flood of %s is refused by its bound',
    async (_, { backend, make }, size, message) => {
      const error = await errorOf(admitPlugin(make(size), { backend, memoryBytes }));
      expect(error.code).toBe('plugin-refused');
      expect(error.message).toMatch(message);
      expect(error.fields['rule']).toMatch(/^(?:complexity|memory)$/u);
    },
    60_000,
  );

  /** Sizes that are all admitted, or refused by V8 or the translator after our own readers have been through. */
  const linear: [string, Shape, number][] = [
    ['types', coreShapes.types, 2_000],
    ['functions', coreShapes.functions, 1_000],
    ['globals', coreShapes.globals, 3_000],
    ['exports', coreShapes.exports, 1_000],
    ['elements', coreShapes.elements, 4_000],
    ['segments', coreShapes.segments, 10_000],
    ['groups of locals', coreShapes.localGroups, 20_000],
    ['loops', coreShapes.loops, 500],
    ['calls in a loop', coreShapes.callsInLoop, 1_000],
    ['global accesses', coreShapes.globalAccess, 1_000],
    ['vector instructions', coreShapes.vectorCode, 1_000],
    ['helpers', coreShapes.memoryInits, 300],
    ['custom sections', coreShapes.customSections, 1_000],
    ['component types', componentShapes.componentTypes, 2_000],
    ['labels', componentShapes.enumLabels, 500],
    ['adapters', componentShapes.liftedFunctions, 40],
  ];

  it.each(linear)(
    'takes time in proportion to the %s',
    async (_, shape, size) => {
      const time = async (count: number): Promise<number> => {
        const bytes = shape.make(count);
        const times: number[] = [];
        for (let round = 0; round < 2; round += 1) {
          const began = process.cpuUsage();
          await admitPlugin(bytes, { backend: shape.backend, memoryBytes }).catch((error: unknown) => {
            if (!(error instanceof HookvisorError)) throw error;
          });
          const { user, system } = process.cpuUsage(began);
          times.push(user + system);
        }
        return Math.min(...times);
      };
      await time(size);
      const [small, large] = [await time(size), await time(size * 8)];
      // Eight times as much takes eight times as long; sixty-four times, where something is quadratic.
      expect(large / Math.max(small, 5_000)).toBeLessThan(26);
    },
    60_000,
  );
});
