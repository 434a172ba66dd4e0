import { expect, test } from 'vitest';
import { ManualClock } from '../../src/util/manual-clock.ts';
import { open } from './fixtures.ts';
import { outboxRow } from './fixtures-plain.ts';

const LANE = 'radio:a';

test('rows leave by priority, then by row id, each lane for itself', () => {
  const { outbox } = open();
  const late = outbox.add(outboxRow({ priority: 9 }));
  const first = outbox.add(outboxRow());
  const second = outbox.add(outboxRow());
  const other = outbox.add(outboxRow({ lane: 'room:x', priority: 0 }));
  expect(outbox.queued(LANE, 10).map((row) => row.rowId)).toEqual([first, second, late]);
  expect(outbox.queued(LANE, 2)).toHaveLength(2);
  expect(outbox.head('room:x')?.rowId).toBe(other);
  expect(outbox.head('room:y')).toBeNull();
});

test('a group stays together, and once begun nothing cuts in, not even after a resend', () => {
  const { outbox } = open();
  const g1 = outbox.add(outboxRow({ groupId: 'g' }));
  const single = outbox.add(outboxRow());
  const g2 = outbox.add(outboxRow({ groupId: 'g', priority: 8 }));
  expect(outbox.queued(LANE, 10).map((row) => row.rowId)).toEqual([g1, g2, single]);
  const urgent = outbox.add(outboxRow({ priority: 0 }));
  expect(outbox.head(LANE)?.rowId).toBe(urgent);
  outbox.update(g1, { state: 'sent', sentAtMs: 1, attempts: 1 });
  expect(outbox.queued(LANE, 10).map((row) => row.rowId)).toEqual([g2, urgent, single]);
  const g3 = outbox.add(outboxRow({ groupId: 'g' }));
  outbox.update(g1, { state: 'queued', sentAtMs: null });
  expect(outbox.queued(LANE, 10).map((row) => row.rowId)).toEqual([g1, g2, g3, urgent, single]);
});

test('the same group id in another lane is another group', () => {
  const { outbox } = open();
  const here = outbox.add(outboxRow({ groupId: 'g' }));
  outbox.update(here, { state: 'done' });
  outbox.add(outboxRow({ lane: 'radio:b', groupId: 'g' }));
  const urgent = outbox.add(outboxRow({ lane: 'radio:b', priority: 0 }));
  expect(outbox.head('radio:b')?.rowId).toBe(urgent);
});

test('a change touches what it names and nothing else', () => {
  const { outbox } = open();
  const rowId = outbox.add(outboxRow({ packetId: 4 }));
  const before = outbox.get(rowId);
  outbox.update(rowId, {});
  expect(outbox.get(rowId)).toEqual(before);
  outbox.update(rowId, { state: 'sent', sentAtMs: 9, attempts: 2, nextAttemptAtMs: 8, lastError: 'NO_ROUTE' });
  outbox.update(rowId, { packetId: 5, payload: { text: 'bye' } });
  expect(outbox.get(rowId)).toEqual({
    ...before,
    state: 'sent',
    sentAtMs: 9,
    attempts: 2,
    nextAttemptAtMs: 8,
    lastError: 'NO_ROUTE',
    packetId: 5,
    payload: { text: 'bye' },
  });
  outbox.update(rowId, { sentAtMs: null, lastError: null });
  expect(outbox.get(rowId)).toMatchObject({ sentAtMs: null, lastError: null, state: 'sent' });
  outbox.update(9999, { attempts: 1 });
  expect(outbox.get(9999)).toBeNull();
});

test('an open row is found by its packet id, a finished one is not', () => {
  const { outbox } = open();
  const rowId = outbox.add(outboxRow({ packetId: 4 }));
  expect(outbox.byPacketId(LANE, 4)?.rowId).toBe(rowId);
  expect(outbox.byPacketId('radio:b', 4)).toBeNull();
  outbox.update(rowId, { state: 'sent' });
  expect(outbox.byPacketId(LANE, 4)?.rowId).toBe(rowId);
  expect(outbox.sent(LANE).map((row) => row.rowId)).toEqual([rowId]);
  outbox.update(rowId, { state: 'done' });
  expect(outbox.byPacketId(LANE, 4)).toBeNull();
  expect(outbox.sent(LANE)).toEqual([]);
});

test('depths count open rows by lane', () => {
  const { outbox } = open();
  outbox.add(outboxRow({ createdAtMs: 30 }));
  outbox.update(outbox.add(outboxRow({ createdAtMs: 20 })), { state: 'sent' });
  outbox.update(outbox.add(outboxRow({ createdAtMs: 10 })), { state: 'done' });
  outbox.update(outbox.add(outboxRow({ lane: 'room:x' })), { state: 'failed' });
  expect(outbox.depths()).toEqual([{ lane: LANE, queued: 1, sent: 1, oldestCreatedAtMs: 20 }]);
});

test('rows expire when their age is up, never when it is infinite; one full lane does not hide another', () => {
  const { outbox } = open();
  for (let n = 0; n < 300; n += 1) outbox.add(outboxRow({ expiresAtMs: 10 }));
  const other = outbox.add(outboxRow({ lane: 'room:x', expiresAtMs: 20 }));
  outbox.add(outboxRow({ lane: 'room:x', expiresAtMs: 21 }));
  outbox.add(outboxRow({ lane: 'room:x', expiresAtMs: Number.POSITIVE_INFINITY }));
  expect(outbox.expired(9)).toEqual([]);
  expect(outbox.expired(20)).toHaveLength(201);
  expect(outbox.expired(20).at(-1)?.rowId).toBe(other);
  for (const row of outbox.expired(20)) outbox.update(row.rowId, { state: 'expired' });
  expect(outbox.expired(20)).toHaveLength(100);
});

test('finished rows are pruned by the time they finished, open rows never, and row ids are not used again', () => {
  const clock = new ManualClock(5000);
  const { outbox } = open({ clock });
  const openRow = outbox.add(outboxRow());
  const finished = outbox.add(outboxRow());
  outbox.update(finished, { state: 'failed' });
  expect(outbox.prune(5000)).toBe(0);
  expect(outbox.prune(5001)).toBe(1);
  expect(outbox.get(finished)).toBeNull();
  expect(outbox.get(openRow)).not.toBeNull();
  expect(outbox.add(outboxRow())).toBeGreaterThan(finished);
});

test('what waits with an answer to one packet answers another from then on', () => {
  const { outbox } = open();
  const payload = (replyId: number, text: string) => ({ kind: 'packet', replyId, text });
  const waiting = outbox.add(outboxRow({ payload: payload(4_000_000_000, 'a "replyId":4000000000, b') }));
  const other = outbox.add(outboxRow({ payload: payload(5, 'c') }));
  const gone = outbox.add(outboxRow({ payload: payload(4_000_000_000, 'd') }));
  outbox.update(gone, { state: 'sent' });
  outbox.redirectReplies(4_000_000_000, 4_294_967_295);
  expect(outbox.get(waiting)?.payload).toEqual(payload(4_294_967_295, 'a "replyId":4000000000, b'));
  expect(outbox.get(other)?.payload).toEqual(payload(5, 'c'));
  expect(outbox.get(gone)?.payload).toEqual(payload(4_000_000_000, 'd'));
});

test('what was sent and has had no word waits again, in its old place', () => {
  const { outbox } = open();
  const [first, done, next] = [outbox.add(outboxRow()), outbox.add(outboxRow()), outbox.add(outboxRow())];
  const elsewhere = outbox.add(outboxRow({ lane: 'radio:b' }));
  for (const rowId of [first, elsewhere]) outbox.update(rowId, { state: 'sent', sentAtMs: 1 });
  outbox.update(done, { state: 'done' });
  outbox.requeueSent(LANE);
  expect(outbox.queued(LANE, 9).map((row) => [row.rowId, row.sentAtMs])).toEqual([
    [first, null],
    [next, null],
  ]);
  expect(outbox.sent('radio:b')).toHaveLength(1);
});
