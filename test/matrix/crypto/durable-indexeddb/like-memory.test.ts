import { IDBFactory } from 'fake-indexeddb';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { restartable } from './indexeddb-steps.ts';
import { ProgramRunner } from './program-runner.ts';
import { randomProgram } from './random-program.ts';

const PROGRAMS = Number(process.env.MMRELAY_TEST_PROGRAMS ?? 60);

test(`${PROGRAMS} random programs with restarts say what fake-indexeddb says without any`, async () => {
  await fc.assert(
    fc.asyncProperty(randomProgram, async (program) => {
      const memory = new IDBFactory();
      const store = await restartable();
      const expected = await new ProgramRunner(memory, () => Promise.resolve(memory)).run(program);
      expect(await new ProgramRunner(store.current(), () => store.restart()).run(program)).toEqual(expected);
      expect(store.failures).toEqual([]);
    }),
    { numRuns: PROGRAMS },
  );
}, 120_000);
