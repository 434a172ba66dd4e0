import { expect, it } from 'vitest';
import { PRIORITY } from '../../src/relay/delivery.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { startEngine } from '../support/engine-fixture.ts';
import { ROOM } from '../support/relay-fixture.ts';

it('a file waits in the outbox with its event, over an outage, and goes when the event is in the room', async () => {
  const { engine, matrix, store, clock } = await startEngine();
  const data = new Uint8Array([0, 255, 7]);
  const media = { base64: Buffer.from(data).toString('base64'), mimeType: 'image/png', fileName: 'map.png' };
  const content = { msgtype: 'm.image', body: 'map.png' };
  const event = { kind: 'event', type: 'm.room.message', content, relation: null, link: null, fallback: null } as const;
  matrix.refuse = () => new RelayError('MATRIX_UNAVAILABLE', 'down', { retry: { kind: 'later' } });
  engine.submit(
    [{ kind: 'to-room', room: ROOM, priority: PRIORITY.plugin, delivery: { ...event, media } }],
    'plugin:x',
  );
  await clock.advance(5_000);
  const row = store.outbox.head(`room:${ROOM}`);
  expect(row?.payload.media).toEqual(media);
  matrix.refuse = () => null;
  await clock.advance(120_000);
  expect(matrix.sent).toMatchObject([{ content, media: { mimeType: 'image/png', fileName: 'map.png' } }]);
  expect(new Uint8Array(matrix.sent[0]?.media?.data ?? [])).toEqual(data);
  expect(store.outbox.get(row?.rowId ?? 0)).toMatchObject({ state: 'done' });
  expect(store.outbox.get(row?.rowId ?? 0)?.payload).toEqual(event);
});
