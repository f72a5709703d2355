import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // These need root and libvirt: npm run test:libvirt
    exclude: ['test/libvirt-real/**'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    pool: 'forks',
    // Deadlines of real processes: a busy machine may miss one once. What fails twice fails.
    retry: process.env['CI'] === undefined ? 0 : 1,
    reporters: ['verbose'],
  },
});
