import { defineConfig } from 'vitest/config';

// Hermetic: no network beyond loopback, no counterpart, no real time where a clock can be passed.
export default defineConfig({
  test: {
    root: '.',
    include: ['test/**/*.test.ts'],
    exclude: ['test/e2e/**', 'node_modules/**'],
    globalSetup: ['test/support/temporary-folder.ts'],
    testTimeout: 20_000,
    pool: 'forks',
    reporters: ['default'],
    // What the Matrix SDK says to itself is of interest when a test fails.
    silent: 'passed-only',
  },
});
