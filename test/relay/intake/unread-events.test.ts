import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { RoomEvent } from '../../../src/relay/ports.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { utf8Decode } from '../../../src/util/utf8.ts';
import { type EngineFixture, startEngine } from '../../support/engine-fixture.ts';
import { botJoin, NOW_MS, ROOM, roomEvent } from '../../support/relay-fixture.ts';

const MINUTE = 60_000;

function unread(eventId: string, change: Partial<RoomEvent> = {}): RoomEvent {
  const cipher = { algorithm: 'm.megolm.v1.aes-sha2', ciphertext: 'x' };
  return {
    ...roomEvent({ eventId, timestampMs: NOW_MS, ...change }),
    type: 'm.room.encrypted',
    content: cipher,
    encrypted: true,
    undecryptable: 'no-key',
  };
}

const readable = (eventId: string, body: string): RoomEvent => ({
  ...roomEvent({ eventId, body, timestampMs: NOW_MS }),
  encrypted: true,
});

const join0 = botJoin(ROOM);

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
  first.matrix.sink?.onLearned(readable('$one', 'one'));
  first.matrix.sink?.onLearned(readable('$one', 'one'));
  await first.clock.advance(10_000);
  expect(onAir(first).filter((text) => text.endsWith('one'))).toHaveLength(1);
  await first.engine.stop();
  first.store.close();
  const second = await started(path);
  expect(second.matrix.awaited.map(({ eventId }) => eventId)).toEqual(['$two']);
  second.matrix.sink?.onLearned(readable('$two', 'two'));
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
  f.matrix.sink?.onLearned({ ...readable('$c', 'here'), sender: '@quick:ex.org' });
  await f.clock.advance(MINUTE);
  const told = f.matrix.sent.filter(({ content }) => String(content.body).includes('cannot be decrypted'));
  expect(told).toHaveLength(1);
  expect(JSON.stringify(told[0]?.content)).toContain('$a');
  f.matrix.sync([unread('$d')]);
  await f.clock.advance(5 * MINUTE);
  expect(f.matrix.sent.filter(({ content }) => String(content.body).includes('cannot be decrypted'))).toHaveLength(1);
});

it('marks what comes after newer messages, or long after it was said, within the packet', async () => {
  const f = await started(database());
  f.matrix.sync([unread('$one'), unread('$two'), unread('$three')]);
  f.matrix.sink?.onLearned(readable('$one', 'in time'));
  await f.clock.advance(1_000);
  f.matrix.sync([{ ...readable('$new', 'newer'), timestampMs: NOW_MS + 1 }]);
  await f.clock.advance(10_000);
  f.matrix.sink?.onLearned(readable('$two', 'overtaken'));
  await f.clock.advance(7 * MINUTE);
  f.matrix.sink?.onLearned(readable('$three', 'x'.repeat(300)));
  await f.clock.advance(10_000);
  const [first, , second, third] = onAir(f);
  expect(first).toMatch(/: in time$/);
  expect(second).toMatch(/: \(late\) overtaken$/);
  expect(third).toMatch(/: \(7m late\) \(1\/2\) x+$/);
  expect(Buffer.byteLength(third ?? '')).toBeLessThanOrEqual(233);
});

it('relays no history whose key comes later, and news whose key was faster than its batch once', async () => {
  const path = database();
  const f = await startEngine({ path });
  f.matrix.sync([join0, unread('$history')], true);
  f.matrix.sink?.onLearned(readable('$history', 'history'));
  f.matrix.sink?.onLearned(readable('$early', 'early'));
  f.matrix.sync([unread('$early')]);
  f.matrix.sink?.onLearned(readable('$early', 'early'));
  await f.clock.advance(10_000);
  expect(onAir(f)).toEqual([expect.stringMatching(/: early$/)]);
});

it('keeps of a flood the newest two thousand, and tells the room how many it has given up', async () => {
  const path = database();
  const f = await started(path);
  const flood = Array.from({ length: 2_003 }, (_, n) => unread(`$e${n}`, { timestampMs: NOW_MS - 5_000 + n }));
  f.matrix.sync(flood);
  await f.clock.advance(2 * MINUTE);
  const told = f.matrix.bodies().filter((body) => String(body).includes('no more waiting'));
  expect(told).toEqual(['3 messages that cannot be decrypted here: no more waiting for the keys.']);
  await f.engine.stop();
  f.store.close();
  const awaited = (await started(path)).matrix.awaited.map(({ eventId }) => eventId);
  expect([awaited.length, awaited[0], awaited.at(-1)]).toEqual([2_000, '$e3', '$e2002']);
});

it.each([
  ['refused-unverified', 'verified devices only', 1],
  ['refused', 'has refused the relay the key', 1],
  ['unsigned-sender', 'Verify this device of yours', 0],
  ['no-crypto', 'cannot read encrypted messages', 0],
] as const)('a message that is %s: the sender is told so, and a refusal is a warning', async (reason, words, warnings) => {
  const warned: string[] = [];
  const logger = { ...silentLogger, warn: (message: string) => void warned.push(message) };
  const f = await startEngine({ path: database(), logger });
  f.matrix.sync([join0], true);
  f.matrix.sync([unread('$a'), unread('$b')]);
  f.matrix.sink?.onLearned({ ...unread('$a'), undecryptable: reason });
  f.matrix.sink?.onLearned({ ...unread('$b'), undecryptable: reason });
  await f.clock.advance(2 * MINUTE);
  expect(f.matrix.bodies().map(String)).toEqual([expect.stringContaining(words)]);
  expect(warned.filter((message) => message.includes('refuses'))).toHaveLength(warnings);
});
