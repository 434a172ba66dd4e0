import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RoomEvent } from '../../src/relay/ports.ts';
import { utf8Decode } from '../../src/util/utf8.ts';
import { type EngineFixture, startEngine } from '../support/engine-fixture.ts';
import { BOT, NOW_MS, roomEvent } from '../support/relay-fixture.ts';

const MINUTE = 60_000;

function unread(eventId: string, change: Partial<RoomEvent> = {}): RoomEvent {
  const cipher = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' };
  return {
    ...roomEvent({ eventId, timestampMs: NOW_MS, ...change }),
    type: 'm.room.encrypted',
    content: cipher,
    encrypted: true,
    undecryptable: 'the key is missing',
  };
}

const readable = (eventId: string, body: string): RoomEvent => ({
  ...roomEvent({ eventId, body, timestampMs: NOW_MS }),
  encrypted: true,
});

const join0 = roomEvent({
  eventId: '$join',
  type: 'm.room.member',
  stateKey: BOT,
  sender: BOT,
  content: { membership: 'join' },
});

async function started(path: string): Promise<EngineFixture> {
  const f = await startEngine({ path });
  f.matrix.sync([join0], true);
  return f;
}

const database = (): string => join(mkdtempSync(join(tmpdir(), 'mmrelay-unread-')), 'relay.sqlite');
const onAir = (f: EngineFixture): string[] => f.radio.sent.map((packet) => utf8Decode(packet.payload));

it('W14: an event whose key comes later is relayed then, once, also when the key comes in another run', async () => {
  const path = database();
  const first = await started(path);
  first.matrix.sync([unread('$one'), unread('$two')]);
  await first.clock.advance(10);
  expect(onAir(first)).toEqual([]);
  first.matrix.sink?.onDecrypted(readable('$one', 'one'));
  first.matrix.sink?.onDecrypted(readable('$one', 'one'));
  await first.clock.advance(10_000);
  expect(onAir(first).filter((text) => text.endsWith('one'))).toHaveLength(1);
  await first.engine.stop();
  first.store.close();
  const second = await started(path);
  expect(second.matrix.awaited.map(({ eventId }) => eventId)).toEqual(['$two']);
  second.matrix.sink?.onDecrypted(readable('$two', 'two'));
  await second.clock.advance(10_000);
  expect(onAir(second).some((text) => text.endsWith('two'))).toBe(true);
  await second.engine.stop();
  second.store.close();
  const third = await started(path);
  expect(third.matrix.awaited).toEqual([]);
});

it('waits for no key longer than a message may be late', async () => {
  const path = database();
  const first = await started(path);
  first.matrix.sync([unread('$old', { timestampMs: NOW_MS - 365 * 86_400_000 })]);
  await first.engine.stop();
  first.store.close();
  expect((await started(path)).matrix.awaited).toEqual([]);
});

it('tells a sender after a minute, once, and nobody whose key has come by then', async () => {
  const f = await started(database());
  f.matrix.sync([unread('$a'), unread('$b'), unread('$c', { sender: '@quick:ex.org' })]);
  await f.clock.advance(MINUTE / 2);
  expect(f.matrix.sent).toEqual([]);
  f.matrix.sink?.onDecrypted({ ...readable('$c', 'here'), sender: '@quick:ex.org' });
  await f.clock.advance(MINUTE);
  const told = f.matrix.sent.filter(({ content }) => String(content.body).includes('cannot be decrypted'));
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told[0]?.content)).toContain('$a');
  f.matrix.sync([unread('$d')]);
  await f.clock.advance(5 * MINUTE);
  expect(f.matrix.sent.filter(({ content }) => String(content.body).includes('cannot be decrypted'))).toHaveLength(1);
});
