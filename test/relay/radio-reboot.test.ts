import { describe, expect, it } from 'vitest';
import { type EngineFixture, startEngine } from '../support/engine-fixture.ts';
import type { FakeRadio } from '../support/fake-ports.ts';
import { RADIO_INFO, roomEvent } from '../support/relay-fixture.ts';

/** Three texts are given to the radio, two leave, one of these is acknowledged; then it restarts, and `tell` says so. */
async function restarted(tell: (f: EngineFixture) => void) {
  const f = await startEngine();
  f.radio.sink?.onInfo({ ...RADIO_INFO, bootCount: 7 });
  f.matrix.sync(['a', 'b', 'c'].map((body) => roomEvent({ eventId: `$${body}`, body })));
  await f.clock.advance(3_000);
  expect(f.radio.texts()).toEqual(['Alice[M]: a', 'Alice[M]: b']);
  f.radio.sink?.onRouting({ packetId: f.radio.sent[0]?.id ?? 0, error: 'NONE', from: 1 });
  f.radio.setReady(false);
  tell(f);
  f.radio.setReady(true);
  await f.clock.advance(20_000);
  return f.radio;
}

/** The last letter of each text it was given, in order. */
const lettersOf = (radio: FakeRadio): string => radio.texts().reduce((letters, text) => letters + text.at(-1), '');

describe('a radio that restarted', () => {
  it.each<[string, (f: EngineFixture) => void]>([
    ['says so', ({ radio }) => radio.sink?.onRebooted?.()],
    ['counts one more', ({ radio }) => radio.sink?.onInfo({ ...RADIO_INFO, bootCount: 8 })],
  ])('and %s, is given again what nobody acknowledged, under the same id, ahead of the rest', async (_how, tell) => {
    const radio = await restarted(tell);
    expect(lettersOf(radio)).toBe('abbc');
    expect(radio.sent[2]?.id).toBe(radio.sent[1]?.id);
  });

  it.each<[string, (f: EngineFixture) => void]>([
    ['is the same as before', ({ radio }) => radio.sink?.onInfo({ ...RADIO_INFO, bootCount: 7 })],
    ['is another one', ({ radio }) => radio.sink?.onInfo({ ...RADIO_INFO, nodeNum: 99, bootCount: 8 })],
  ])('but %s, is given nothing again', async (_how, tell) => {
    const radio = await restarted(tell);
    expect(lettersOf(radio)).toBe('abc');
  });
});

it('a radio that comes back over the same link within a second is given the next text two seconds after the last it may have taken', async () => {
  const f = await startEngine();
  f.radio.answer = () => undefined;
  const sentAtMs: number[] = [];
  const { send } = f.radio;
  f.radio.send = (packet) => {
    sentAtMs.push(f.clock.monotonic());
    return send.call(f.radio, packet);
  };
  f.matrix.sync([roomEvent({ eventId: '$a', body: 'a' })]);
  await f.clock.advance(10);
  f.radio.setReady(false);
  f.radio.setReady(true);
  await f.clock.advance(20_000);
  const [first = 0, second = 0] = sentAtMs;
  expect(second - first).toBeGreaterThanOrEqual(2_000);
});
