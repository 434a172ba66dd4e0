import { MatrixEvent, MatrixEventEvent } from 'matrix-js-sdk';
import { expect, it } from 'vitest';
import { AwaitedEvents } from '../../../src/matrix/crypto/awaited-events.ts';

function setUp() {
  const pending = new Set<string>();
  const list = { removeEventFromPendingList: (event: MatrixEvent) => void pending.delete(event.getId() ?? '') };
  const awaited = new AwaitedEvents(list, MatrixEventEvent.Decrypted);
  const add = (id: string, onAttempt = () => false): MatrixEvent => {
    const event = new MatrixEvent({ event_id: id, type: 'm.room.encrypted' });
    pending.add(id);
    awaited.wait(event, onAttempt);
    return event;
  };
  return { pending, awaited, add };
}

it('of a flood the SDK keeps the newest two thousand', () => {
  const { pending, awaited, add } = setUp();
  const first = add('$first');
  for (let n = 0; n < 2_000; n += 1) add(`$${n}`);
  expect([awaited.size, pending.size, pending.has('$first')]).toEqual([2_000, 2_000, false]);
  expect(first.listenerCount(MatrixEventEvent.Decrypted)).toBe(0);
});

it('asks after each attempt, until it is told that this was the last', () => {
  const { awaited, add } = setUp();
  const answers = [false, false, true];
  let asked = 0;
  const event = add('$a', () => {
    asked += 1;
    return answers.shift() ?? true;
  });
  for (let n = 0; n < 5; n += 1) event.emit(MatrixEventEvent.Decrypted, event);
  expect([asked, awaited.size, event.listenerCount(MatrixEventEvent.Decrypted)]).toEqual([3, 0, 0]);
});
