import { defineConfig } from 'vitest/config';

/** The tests on a real libvirtd, `npm run test:libvirt`: files one after the other, each with a libvirtd of its own. */
export default defineConfig({
  test: {
    include: ['test/libvirt-real/**/*.test.ts'],
    testTimeout: 90_000,
    hookTimeout: 90_000,
    pool: 'forks',
    fileParallelism: false,
    reporters: ['verbose'],
  },
});
