import { describe, expect, it } from 'vitest';
import { meshToRooms } from '../../../src/relay/rules/mesh-to-room.ts';
import type { Intent } from '../../../src/relay/rules/view.ts';
import {
  LORA,
  OWN_NODE,
  packet,
  RADIO_INFO,
  ROOM,
  radioSettings,
  route,
  settings,
  world,
} from '../../support/relay-fixture.ts';

function dropReason(intents: readonly Intent[]): string | null {
  const [only] = intents;
  return intents.length === 1 && only?.kind === 'drop' ? only.reason : null;
}

function event(intents: readonly Intent[]): Extract<Intent, { kind: 'to-room' }>['delivery'] & { kind: 'event' } {
  const [first] = intents;
  if (first?.kind !== 'to-room' || first.delivery.kind !== 'event')
    throw new Error(`unexpected ${JSON.stringify(intents)}`);
  return first.delivery;
}

describe('a text from the mesh', () => {
  it('goes to the mapped room with prefix and the custom keys that relays of the family read', () => {
    const intents = meshToRooms('default', packet({ text: 'hi' }), world());

    expect(intents).toHaveLength(1);
    expect(event(intents)).toMatchObject({
      type: 'm.room.message',
      content: {
        msgtype: 'm.text',
        body: '[Alice Long/Home]: hi',
        meshtastic_longname: 'Alice Long',
        meshtastic_shortname: 'AL',
        meshtastic_meshnet: 'Home',
        meshtastic_portnum: 'TEXT_MESSAGE_APP',
        meshtastic_id: 4711,
        meshtastic_text: 'hi',
      },
      link: { packetId: 4711, text: 'hi', author: '!0a11ce01' },
    });
  });

  it.each([
    '2*3*4',
    '<b>bold</b>',
    '[/x]',
    '[alice](http://x)',
    '~~x~~ `y`',
    'a < b & c > d',
    'line1\nline2',
  ])('arrives as typed (W26): %s', (text) => {
    const { content } = event(meshToRooms('default', packet({ text }), world()));

    expect(content.body).toBe(`[Alice Long/Home]: ${text}`);
    expect(content.formatted_body).toBeUndefined();
  });

  it('goes to every room of its channel', () => {
    const routes = [route(), route({ room: '!two:ex.org' }), route({ room: '!other:ex.org', channel: 1 })];

    const intents = meshToRooms('default', packet(), world({ settings: settings({ routes }) }));

    expect(intents.map((intent) => (intent.kind === 'to-room' ? intent.room : intent.kind))).toEqual([
      ROOM,
      '!two:ex.org',
    ]);
  });

  it('names an unknown sender by id, never by a decimal number (W43)', () => {
    const { content } = event(meshToRooms('default', packet({ from: 0xdeadbeef }), world()));

    expect(content.body).toBe('[!deadbeef/Home]: hello');
  });

  it('takes the room its own prefix', () => {
    const routes = [route({ roomPrefix: '({long4}/{mesh3}) {short}: ' })];

    expect(event(meshToRooms('default', packet(), world({ settings: settings({ routes }) }))).content.body).toBe(
      '(Alic/Hom) AL: hello',
    );
  });
});

describe('packets that are no chat', () => {
  it.each([
    ['a direct message to our node', packet({ to: OWN_NODE }), 'direct message to our node'],
    ['a direct reply to a mapped message (W17)', packet({ to: OWN_NODE, replyId: 7 }), 'direct message to our node'],
    ['a direct tapback (W17)', packet({ to: OWN_NODE, replyId: 7, emoji: 1 }), 'direct message to our node'],
    ['a message between others', packet({ to: 0x0000beef }), 'addressed to another node'],
    ['a ciphertext', packet({ encrypted: true, portnum: 0 }), 'port is for plugins only'],
    ['a position', packet({ portnum: 3 }), 'port is for plugins only'],
    ['an empty text', packet({ text: ' ' }), 'empty text'],
    ['an unmapped channel', packet({ channel: 5 }), 'no room is mapped to channel 5'],
  ])('%s stays out of the rooms', (_name, given, reason) => {
    expect(dropReason(meshToRooms('default', given, world()))).toBe(reason);
  });

  it('honours packet_routing', () => {
    const packetRouting = {
      chatPortnums: new Set(['RANGE_TEST_APP']),
      disabledPortnums: new Set(['TEXT_MESSAGE_APP']),
      encryptedAction: 'drop' as const,
    };
    const radios = new Map([['default', radioSettings({ packetRouting, detectionSensor: false })]]);
    const view = world({ settings: settings({ radios }) });

    expect(dropReason(meshToRooms('default', packet(), view))).toBe('port is disabled');
    expect(event(meshToRooms('default', packet({ portnum: 66, text: 'seq 1' }), view)).content.body).toContain('seq 1');
    expect(dropReason(meshToRooms('default', packet({ portnum: 10 }), view))).toBe('port is for plugins only');
    expect(dropReason(meshToRooms('default', packet({ encrypted: true, portnum: 0 }), view))).toBe('port is disabled');
  });

  it('ignores nodes on the list', () => {
    const radios = new Map([['default', radioSettings({ ignoredNodes: new Set([packet().from]) })]]);

    expect(dropReason(meshToRooms('default', packet(), world({ settings: settings({ radios }) })))).toBe(
      'node is ignored',
    );
  });
});

describe('replies and tapbacks from the mesh', () => {
  it('a reply names the packet it answers', () => {
    const delivery = event(meshToRooms('default', packet({ replyId: 99, text: 'yes' }), world()));

    expect(delivery.relation).toEqual({ rel: 'reply', radio: 'default', packetId: 99, key: null });
    expect(delivery.content.body).toBe('[Alice Long/Home]: yes');
  });

  it('a tapback becomes a native reaction, with words to fall back on (W39)', () => {
    const delivery = event(meshToRooms('default', packet({ replyId: 99, emoji: 1, text: '👍' }), world()));

    expect(delivery).toMatchObject({
      type: 'm.reaction',
      relation: { rel: 'reaction', packetId: 99, key: '👍' },
      link: null,
      fallback: { body: '[Alice Long/Home]: reacted 👍' },
    });
  });

  it('switched off, both are ordinary texts', () => {
    const view = world({
      settings: settings({ radios: new Map([['default', radioSettings({ replies: false, reactions: false })]]) }),
    });

    expect(event(meshToRooms('default', packet({ replyId: 99 }), view)).relation).toBeNull();
    expect(event(meshToRooms('default', packet({ replyId: 99, emoji: 1, text: '👍' }), view)).type).toBe(
      'm.room.message',
    );
  });
});

describe('a meshnet without a configured name (W32)', () => {
  it.each([
    [{ ...RADIO_INFO, channels: [{ index: 0, name: 'Hills', role: 'primary' as const, keyId: 'stock' }] }, 'Hills'],
    [{ ...RADIO_INFO, lora: LORA }, 'LongFast'],
    [null, 'Mesh'],
  ])('is called after the radio', (info, name) => {
    const radios = new Map([['default', radioSettings({ meshnetName: '' })]]);
    const view = { ...world({ settings: settings({ radios }) }), radioInfo: () => info };

    expect(event(meshToRooms('default', packet(), view)).content.meshtastic_meshnet).toBe(name);
  });
});

describe('places', () => {
  const position = Uint8Array.of(0x0d, 0x40, 0x09, 0x1a, 0x1f, 0x15, 0xc0, 0x62, 0x61, 0x08, 0x18, 0x78);

  it('a position is m.location in rooms that asked, and nowhere else', () => {
    const given = packet({ portnum: 3, payload: position });
    const routes = [route({ locations: true }), route({ room: '!quiet:ex.org' })];

    const intents = meshToRooms('default', given, world({ settings: settings({ routes }) }));

    expect(intents).toHaveLength(1);
    expect(event(intents).content).toMatchObject({
      msgtype: 'm.location',
      body: '[Alice Long/Home]: position 52.18000,14.06000',
      geo_uri: 'geo:52.180000,14.060000,120',
      mmrelay_suppress: true,
    });
    expect(dropReason(meshToRooms('default', given, world()))).toBe('port is for plugins only');
  });

  it('a waypoint brings its name', () => {
    const name = new TextEncoder().encode('Hut');
    const payload = Uint8Array.of(
      0x15,
      ...position.slice(1, 5),
      0x1d,
      ...position.slice(6, 10),
      0x32,
      name.length,
      ...name,
    );
    const routes = [route({ locations: true })];

    expect(
      event(meshToRooms('default', packet({ portnum: 8, payload }), world({ settings: settings({ routes }) }))).content
        .body,
    ).toBe('[Alice Long/Home]: waypoint Hut 52.18000,14.06000');
  });

  it('a broken one is dropped', () => {
    const routes = [route({ locations: true })];

    expect(
      dropReason(
        meshToRooms(
          'default',
          packet({ portnum: 3, payload: Uint8Array.of(0x0d, 1) }),
          world({ settings: settings({ routes }) }),
        ),
      ),
    ).toBe('port is for plugins only');
  });
});
