import { defineConfig } from 'vitest/config';
import { StormFirst } from './e2e/support/storm-first.ts';

// Against real counterparts: Synapse, the official Meshtastic client, socat ptys, Bumble. Two files at a time: they wait
// more than they compute, each has ports and folders of its own, and all pass on a machine that is busy otherwise, too.
export default defineConfig({
  test: {
    root: '.',
    include: ['test/e2e/**/*.test.ts'],
    globalSetup: ['test/support/temporary-folder.ts', 'test/e2e/support/global-setup.ts'],
    // Several times what a long one takes on a quiet machine: a busy one is no failure.
    testTimeout: 600_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    sequence: { sequencer: StormFirst },
    // A counterpart that starts slowly on two busy cores gets a second chance, and the report says so. The tests of the
    // promises (chaos, kills) get none: test/e2e/{chaos,crypto-store,e2ee-kills}.test.ts set retry 0.
    retry: 1,
    pool: 'forks',
    // What the other clients say, line by line, is only of interest where something failed.
    silent: 'passed-only',
    reporters: ['default'],
  },
});
