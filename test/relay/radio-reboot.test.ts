import { expect, it } from 'vitest';
import { startEngine } from '../support/engine-fixture.ts';
import { roomEvent } from '../support/relay-fixture.ts';

it('gives a radio that restarted what it had taken and nobody has acknowledged, under the same id, ahead of the rest', async () => {
  const f = await startEngine();
  f.matrix.sync(['a', 'b', 'c'].map((body) => roomEvent({ eventId: `$${body}`, body })));
  await f.clock.advance(3_000);
  expect(f.radio.texts()).toEqual(['Alice[M]: a', 'Alice[M]: b']);
  const [acknowledged, forgotten] = f.radio.sent;
  f.radio.sink?.onRouting({ packetId: acknowledged?.id ?? 0, error: 'NONE', from: 1 });

  f.radio.setReady(false);
  f.radio.sink?.onRebooted?.();
  f.radio.setReady(true);
  await f.clock.advance(20_000);

  expect(f.radio.texts().slice(2)).toEqual(['Alice[M]: b', 'Alice[M]: c']);
  expect(f.radio.sent[2]?.id).toBe(forgotten?.id);
});
