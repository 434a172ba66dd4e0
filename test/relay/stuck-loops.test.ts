import { expect, test } from 'vitest';
import { RelayError } from '../../src/util/relay-error.ts';
import { startEngine } from '../support/engine-fixture.ts';
import { packet, roomEvent } from '../support/relay-fixture.ts';

const MINUTE_MS = 60_000;
const later = { retry: { kind: 'later' } } as const;

test('a relay with nothing to do, for an hour, is not stuck', async () => {
  const { engine, clock } = await startEngine();
  await clock.advance(60 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual([]);
  await engine.stop();
});

test('a lane whose send never ends is stuck after ten minutes; the others are not', async () => {
  const { engine, matrix, radio, clock } = await startEngine();
  matrix.send = () => new Promise(() => undefined);
  radio.sink?.onPacket(packet());
  await clock.advance(9 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual([]);
  await clock.advance(2 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual(['room:!room:ex.org']);
});

test('a homeserver that hangs is a side that is down; ten minutes after it is back there is no such excuse', async () => {
  const { engine, matrix, radio, clock } = await startEngine();
  const state = { ...matrix.state(), status: 'backing-off' as 'backing-off' | 'syncing' };
  matrix.state = () => state;
  matrix.send = () => new Promise(() => undefined);
  radio.sink?.onPacket(packet());
  await clock.advance(60 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual([]);
  Object.assign(state, { status: 'syncing', sinceMs: clock.now() });
  await clock.advance(9 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual([]);
  await clock.advance(2 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual(['room:!room:ex.org']);
});

test('so is a radio that takes a packet and never says that it has', async () => {
  const { engine, matrix, radio, clock } = await startEngine();
  radio.send = () => new Promise(() => undefined);
  matrix.sync([roomEvent()]);
  await clock.advance(11 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual(['radio:default']);
});

test('and an inbox behind a plugin that never answers', async () => {
  const { engine, radio, clock } = await startEngine({ claim: () => new Promise(() => undefined) });
  radio.sink?.onPacket(packet());
  await clock.advance(11 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual(['inbox']);
});

test('waiting is not being stuck: a side that is down, a refusal that is tried again, a long retry-after', async () => {
  const { engine, matrix, radio, clock } = await startEngine();
  radio.setReady(false);
  matrix.sync([roomEvent()]);
  matrix.refuse = () => new RelayError('MATRIX_UNREACHABLE', 'down', later);
  radio.sink?.onPacket(packet());
  await clock.advance(60 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual([]);
  matrix.refuse = () => new RelayError('MATRIX_RATE_LIMITED', 'slow', { retry: { kind: 'after', ms: 60 * MINUTE_MS } });
  await clock.advance(30 * MINUTE_MS);
  expect(engine.stuckLoops()).toEqual([]);
  await engine.stop();
});

test('a link that calls itself ready and takes nothing is tried now and then, not in a loop that holds up the process', async () => {
  const { engine, matrix, radio, clock } = await startEngine();
  const take = radio.send.bind(radio);
  const tries = { count: 0 };
  radio.send = async (sent) => {
    tries.count += 1;
    if (tries.count < 100) throw new RelayError('RADIO_NOT_READY', 'the link is closing', later);
    await take(sent); // The end of a tight loop, which no timer could end.
  };
  matrix.sync([roomEvent()]);
  await clock.advance(10_000);
  expect(tries.count).toBeGreaterThan(1);
  expect(tries.count).toBeLessThan(20);

  radio.send = take;
  await clock.advance(2_000);
  expect(radio.texts()).toHaveLength(1);
  await engine.stop();
});
