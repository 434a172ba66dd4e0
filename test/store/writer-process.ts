/** Child of crash.test.ts: writes pairs of rows until it is killed, and says each number after its commit. */
import { writeSync } from 'node:fs';
import { openStore } from '../../src/store/open-store.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { event, outboxRow } from './fixtures-plain.ts';

const store = openStore({ path: process.argv[2] ?? '', logger: silentLogger });
for (let n = Number(store.values.get('last') ?? '0') + 1; ; n += 1) {
  store.transaction(() => {
    store.inbox.addEvent(event(`$${n}`), n);
    store.outbox.add(outboxRow({ createdAtMs: n }));
    store.values.set('last', String(n));
  });
  writeSync(1, `${n}\n`);
}
