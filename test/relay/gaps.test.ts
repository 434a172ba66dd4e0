import { expect, it } from 'vitest';
import { startEngine } from '../support/engine-fixture.ts';
import { ROOM, roomEvent } from '../support/relay-fixture.ts';

it('people are told of what the homeserver does not hand out any more, once', async () => {
  const f = await startEngine();
  const batch = { events: [roomEvent({ eventId: '$a', body: 'after the gap' })], initial: false, gaps: [ROOM] };
  f.matrix.sink?.onSync({ ...batch, nextToken: 't9' });
  await f.clock.advance(10_000);

  expect(f.radio.texts()).toEqual(['Alice[M]: after the gap']);
  expect(f.matrix.bodies()).toEqual([
    'Some messages of the last hours could not be read; they were not sent to the mesh.',
  ]);
});
