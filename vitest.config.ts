import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

/** These compare times with each other, and have the machine for themselves when all others are done. */
const alone = ['test/bench/guard.test.ts', 'test/runtime/supervision/noisy-neighbour.test.ts'];

export default defineConfig({
  test: {
    // What takes seconds on an idle machine must not fail on a busy one. Deadlines are what tests assert, not these.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
    reporters: ['verbose'],
    projects: [
      {
        extends: true,
        test: {
          name: 'side by side',
          include: ['test/**/*.test.ts'],
          // The first need root and libvirt: npm run test:libvirt
          exclude: ['test/libvirt-real/**', ...alone],
          // Two on two cores: much of a test is waiting for processes that it has started.
          maxWorkers: Math.max(2, availableParallelism() - 1),
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: { name: 'alone', include: alone, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
