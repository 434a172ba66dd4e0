// The Matrix adapter in a process of its own, to be killed: sync token, transaction numbers and unread events in SQLite as the
// relay keeps them; sends and reads in one room, and says on stdout, a JSON line each, what it sees.
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createMatrix } from '../../../src/matrix/client.ts';
import { DeviceCrypto } from '../../../src/matrix/device-crypto.ts';
import type { RoomEvent } from '../../../src/relay/ports.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';

interface ClientArguments {
  readonly baseUrl: string;
  readonly userId: string;
  readonly accessToken: string;
  readonly deviceId: string;
  readonly roomId: string;
  readonly folder: string;
}

const { folder, roomId, baseUrl, ...session } = JSON.parse(process.argv[2] ?? '') as ClientArguments;
const say = (line: object): void => {
  writeSync(1, `${JSON.stringify(line)}\n`);
};
const store = openStore({ path: join(folder, 'relay.sqlite'), clock: systemClock, logger: silentLogger });
const matrix = createMatrix({
  credentials: { homeserver: baseUrl, ...session },
  login: null,
  saveCredentials: () => undefined,
  rooms: [roomId],
  clock: systemClock,
  logger: silentLogger,
  random: () => 0,
  isKnownEvent: (eventId) => store.inbox.hasEvent(eventId),
  crypto: new DeviceCrypto({
    storeFolder: join(folder, 'store'),
    keyPath: join(folder, 'crypto.key'),
    trust: 'all',
    required: true,
    identity: null,
    canReplaceDevice: false,
    logger: silentLogger,
    onFatal: (error) => {
      throw error;
    },
  }),
});

function take(event: RoomEvent): void {
  if (event.sender === session.userId) return;
  if (event.undecryptable !== null) say({ kind: 'undecryptable', id: event.eventId, why: event.undecryptable });
  else if (event.type === 'm.room.message') say({ kind: 'got', id: event.eventId });
}

const unread = JSON.parse(store.values.get('unread') ?? '[]') as RoomEvent[];
matrix.awaitKeys?.(unread);
let live = false;
matrix.start(
  {
    onState: (state) => {
      live ||= state.status === 'syncing';
    },
    onSync: (batch) => {
      // Said before it is stored: what a kill cuts off here is said again by the next life.
      for (const event of batch.events) take(event);
      unread.push(...batch.events.filter(({ undecryptable }) => undecryptable !== null));
      store.transaction(() => {
        store.values.set('unread', JSON.stringify(unread));
        store.values.set('token', batch.nextToken);
      });
    },
    onLearned: take,
  },
  store.values.get('token'),
);
while (!live) await delay(10);
for (let row = Number(store.values.get('row') ?? 0); ; ) {
  const content = { msgtype: 'm.text', body: `row ${row}` };
  try {
    const { eventId } = await matrix.send({ roomId, type: 'm.room.message', content, txnId: `row${row}` });
    say({ kind: 'sent', id: eventId, row });
    row += 1;
    store.values.set('row', String(row));
  } catch (error) {
    say({ kind: 'waits', id: String(error) });
  }
  await delay(40);
}
