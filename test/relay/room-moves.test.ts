import { expect, it } from 'vitest';
import { startEngine } from '../support/engine-fixture.ts';
import { OWN_NODE, packet, ROOM, roomEvent, route, settings } from '../support/relay-fixture.ts';

const ALIAS = '#mesh:ex.org';

it('a room and the one that replaced it are both heard; what comes from the mesh goes to the new one', async () => {
  const successors = new Map<string, string>();
  const f = await startEngine({
    prepare: ({ matrix }) => {
      matrix.currentRoom = (roomId) => successors.get(roomId) ?? roomId;
      matrix.resolveRoom = (room) => Promise.resolve(matrix.currentRoom(room));
    },
  });
  f.matrix.sync([roomEvent({ eventId: '$last', body: 'last words' })]);
  successors.set(ROOM, '!new:ex.org');
  f.matrix.sync([roomEvent({ eventId: '$first', body: 'first words', roomId: '!new:ex.org' })]);
  f.radio.sink?.onPacket(packet({ text: 'hi' }));
  await f.clock.advance(10_000);

  expect(f.radio.texts()).toEqual(['Alice[M]: last words', 'Alice[M]: first words']);
  expect(f.matrix.sent.map(({ roomId }) => roomId)).toContain('!new:ex.org');
});

it('an alias that stands for another room is known at once, and after a restart', async () => {
  const f = await startEngine({
    settings: settings({ routes: [route({ room: ALIAS })] }),
    prepare: ({ matrix }) => {
      matrix.resolveRoom = () => Promise.resolve('!old:ex.org');
    },
  });
  f.matrix.sink?.onRoomMoved?.(ALIAS, '!new:ex.org');
  f.matrix.sync([roomEvent({ eventId: '$a', body: 'here now', roomId: '!new:ex.org' })]);
  await f.clock.advance(10);

  expect(f.radio.texts()).toEqual(['Alice[M]: here now']);
  expect(f.store.values.get(`alias:${ALIAS}`)).toBe('!new:ex.org');
});

it('the room of a node may be upgraded too', async () => {
  const successors = new Map<string, string>();
  const f = await startEngine({
    settings: settings({ directMessages: { mode: 'rooms', users: ['@admin:ex.org'] } }),
    prepare: ({ matrix }) => {
      matrix.currentRoom = (roomId) => successors.get(roomId) ?? roomId;
    },
  });
  f.radio.sink?.onPacket(packet({ id: 1, to: OWN_NODE, text: 'one' }));
  await f.clock.advance(10);
  const before = f.matrix.sent[0]?.roomId ?? '';
  successors.set(before, '!new:ex.org');
  f.radio.sink?.onPacket(packet({ id: 2, to: OWN_NODE, text: 'two' }));
  await f.clock.advance(10);
  f.matrix.sync([roomEvent({ eventId: '$a', roomId: '!new:ex.org', sender: '@admin:ex.org', body: 'answer' })]);
  await f.clock.advance(10);

  expect(f.matrix.sent.map(({ roomId }) => roomId)).toEqual([before, '!new:ex.org']);
  expect(f.radio.texts()).toEqual(['answer']);
});
