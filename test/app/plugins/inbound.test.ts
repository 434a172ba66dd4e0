import { describe, expect, it } from 'vitest';
import { toInbound } from '../../../src/app/plugins/inbound.ts';
import type { RoomEvent, RoomFacts } from '../../../src/relay/ports.ts';
import { BOT, NOW_MS, ROOM, roomEvent, world } from '../../support/relay-fixture.ts';

const SUPPRESSED = { msgtype: 'm.text', body: 'x', mmrelay_suppress: true };
const MESH_CHAT = { msgtype: 'm.text', body: 'x', meshtastic_longname: 'Bob', meshtastic_meshnet: 'Away' };

function seen(change: Partial<RoomEvent>, room: Partial<RoomFacts> = {}) {
  const facts = { encrypted: false, joined: true, memberCount: 3, ...room } as RoomFacts;
  const row = { rowId: 1, receivedAtMs: NOW_MS, item: { kind: 'room' as const, event: roomEvent(change) } };
  return toInbound(row, world(), () => facts);
}

describe('what a relay says, as plugins see it', () => {
  it.each([
    ['output of its plugins', SUPPRESSED],
    ['chat of its mesh', MESH_CHAT],
  ])('%s is an event of a relay, with the place of the room', (_name, content) => {
    expect(seen({ sender: '@peer:ex.org', content })).toEqual({
      kind: 'relay',
      event: {
        room: ROOM,
        eventId: '$event',
        sender: '@peer:ex.org',
        timestampMs: NOW_MS - 1_000,
        radio: 'default',
        channel: 0,
        encrypted: false,
        content,
      },
    });
  });

  it.each([
    ['our own', { sender: BOT, content: SUPPRESSED }, {}],
    ['old', { timestampMs: NOW_MS - 11 * 60_000, content: SUPPRESSED }, {}],
    ['of another room', { roomId: '!other:ex.org', content: SUPPRESSED }, {}],
    ['unreadable', { undecryptable: 'no-key' as const, content: SUPPRESSED }, {}],
    ['not encrypted where all is: a server could have made it up', { content: SUPPRESSED }, { encrypted: true }],
  ])('nothing %s', (_name, change, room) => {
    expect(seen(change, room)).toBeNull();
  });

  it('an encrypted one of an encrypted room is shown', () => {
    expect(seen({ content: SUPPRESSED, encrypted: true }, { encrypted: true })?.kind).toBe('relay');
  });
});
