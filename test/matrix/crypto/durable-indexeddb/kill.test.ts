import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { openDurableIndexedDb } from '../../../../src/matrix/crypto/durable-indexeddb/open-durable-indexeddb.ts';
import { done, ended, open } from './indexeddb-steps.ts';
import {
  applyToModel,
  EMPTY_MODEL,
  type Model,
  makeStore,
  type RandomTransaction,
  randomTransactions,
  sorted,
} from './random-operations.ts';

const CHILD = fileURLToPath(new URL('./kill-child.ts', import.meta.url));
const KILLS = Number(process.env.MMRELAY_TEST_KILLS ?? 32);

test(
  `${KILLS} times killed -9 in random transactions: what is there is what was committed`,
  async () => {
    const seed = Number(process.env.MMRELAY_TEST_SEED ?? Date.now() % 2 ** 31);
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-kill-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const path = join(folder, 'crypto.sqlite');
    const plan = join(folder, 'plan.json');
    let model = EMPTY_MODEL;
    let midway = 0;
    for (let kill = 0; kill < KILLS; kill += 1) {
      const transactions = fc.sample(randomTransactions, { seed: seed + kill, numRuns: 1 })[0] ?? [];
      writeFileSync(plan, JSON.stringify(transactions));
      // Spread over the run: some die while opening, most in the middle, some when all is done.
      const seen = await runAndKill([path, plan, '0'], (kill * 7) % (transactions.length + 4));
      if (seen > 0 && seen < transactions.length) midway += 1;
      const found = await readBack(path);
      const possible = modelsAround(model, transactions, seen);
      expect(
        possible.map(({ records }) => JSON.stringify(sorted(records))),
        `seed ${seed}, kill ${kill}`,
      ).toContain(JSON.stringify(found.records));
      model =
        possible.find((one) => same(one, found)) ?? fail(`generator ${found.generator}, seed ${seed}, kill ${kill}`);
    }
    expect(midway).toBeGreaterThan(KILLS / 2);
  },
  120_000 + KILLS * 2000,
);

/** A committed transaction counts even if the child died before it could say so: what it said, or one more. */
function modelsAround(start: Model, transactions: readonly RandomTransaction[], seen: number): Model[] {
  const sure = transactions.slice(0, seen).reduce(applyToModel, start);
  const next = transactions[seen];
  return next === undefined ? [sure] : [sure, applyToModel(sure, next)];
}

interface Found {
  readonly records: readonly [unknown, unknown][];
  readonly generator: number;
}

function same(model: Model, found: Found): boolean {
  return (
    JSON.stringify(sorted(model.records)) === JSON.stringify(found.records) && model.generator + 1 === found.generator
  );
}

function fail(what: string): never {
  throw new Error(`the key generator is neither before nor after the last transaction: ${what}`);
}

/** Starts the child, kills it after it has said `after` transactions, and returns how many it said in all. */
async function runAndKill(args: readonly string[], after: number): Promise<number> {
  const child: ChildProcess = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = 0;
  child.stdout?.on('data', (bytes: Buffer) => {
    seen += bytes.length;
    if (seen >= after) child.kill('SIGKILL');
  });
  if (after === 0) child.once('spawn', () => child.kill('SIGKILL'));
  await once(child, 'close');
  return seen;
}

async function readBack(path: string): Promise<Found> {
  const durable = await openDurableIndexedDb({ path, onFailure: () => undefined });
  try {
    const db = await open(durable.indexedDB, 'x', 1, makeStore);
    const store = db.transaction('s').objectStore('s');
    const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
    const byValue = values
      .map((value, at) => [value, keys[at]] as const)
      .sort(([a], [b]) => durable.indexedDB.cmp(a, b));
    const index = db.transaction('s').objectStore('s').index('by value');
    expect(await done(index.getAllKeys())).toEqual(byValue.map(([, key]) => key));
    // Asked and taken back: the abort restores the generator.
    const probe = db.transaction('s', 'readwrite');
    const generator = Number(await done(probe.objectStore('s').add('probe')));
    const end = ended(probe);
    probe.abort();
    await end;
    return { records: keys.map((key, at) => [key, values[at]]), generator };
  } finally {
    await durable.close();
  }
}
