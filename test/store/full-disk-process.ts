/** Child of full-disk.test.ts: runs on a tiny file system of its own and prints what it saw as JSON. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '../../src/store/open-store.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { event, outboxRow } from './fixtures-plain.ts';

const folder = process.argv[2] ?? '';
const filler = join(folder, 'filler');

function attempt(work: () => unknown): string {
  try {
    work();
    return 'ok';
  } catch (error) {
    return error instanceof RelayError ? `${error.code} ${error.retry.kind}` : String(error);
  }
}

function fillUp(): void {
  const handle = openSync(filler, 'w');
  const filled = attempt(() => {
    for (;;) writeSync(handle, new Uint8Array(4096));
  });
  if (!filled.includes('ENOSPC')) throw new Error(filled);
  closeSync(handle);
}

// A cache of a few pages makes SQLite write in the middle of a transaction, and then roll it back by itself.
const store = openStore({ path: join(folder, 'db.sqlite'), logger: silentLogger, pragmas: { cache_size: 4 } });
const payload = { text: 'x'.repeat(100_000) };
const work = (): void =>
  store.transaction(() => {
    store.inbox.addEvent(event('$1'), 1);
    for (let n = 0; n < 5; n += 1) store.outbox.add(outboxRow({ payload }));
  });
const swallowing = (): void =>
  store.transaction(() => {
    store.values.set('before', '1');
    attempt(work);
    store.values.set('after', '1');
  });
fillUp();
const full = attempt(work);
const swallowed = attempt(swallowing);
const leftBehind = [store.inbox.hasEvent('$1'), store.outbox.head('radio:a'), store.values.get('after')];
rmSync(filler);
const again = attempt(work);
const rows = store.outbox.queued('radio:a', 10).length;
const sound = store.integrityCheck().ok;
store.close();
rmSync(filler, { force: true });
fillUp();
const opening = attempt(() => openStore({ path: join(folder, 'new.sqlite'), logger: silentLogger }));
process.stdout.write(JSON.stringify({ full, swallowed, leftBehind, again, rows, sound, opening }));
