import { defineConfig } from 'vitest/config';

// Against real counterparts: Synapse, the official Meshtastic client, socat ptys, Bumble. One file at a time:
// they share two cores with the servers they start.
export default defineConfig({
  test: {
    root: '.',
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/e2e/support/global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 180_000,
    fileParallelism: false,
    // A counterpart that starts slowly on two busy cores gets a second chance, and the report says so. The tests of the
    // promises (chaos, kills) get none: test/e2e/{chaos,crypto-store,e2ee-kills}.test.ts set retry 0.
    retry: 1,
    pool: 'forks',
    reporters: ['default'],
  },
});
