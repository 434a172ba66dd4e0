import { describe, expect, it } from 'vitest';
import { createMeshRelay } from '../../../plugins/mesh_relay/index.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';
import { relayStatus } from '../status/relay-status.ts';

const BROADCAST = 0xffffffff;
const PEER = '@relay:other.example.org';
const position = { portnum: 3, portName: 'POSITION_APP', payload: new Uint8Array([1, 2, 3]) };
const waypoint = { portnum: 8, portName: 'WAYPOINT_APP', payload: new Uint8Array([8, 1]) };
const HOUR_MS = 3_600_000;

function relay(config: Readonly<Record<string, unknown>> = {}, rooms?: Parameters<typeof testPlugin>[1]) {
  return testPlugin(createMeshRelay(), { config: { peers: [PEER], ...config }, status: relayStatus, ...rooms });
}

/** The content of an event as mmrelay 1.4 writes it. */
function carrying(packet: object, more: object = {}) {
  const text = JSON.stringify({ toId: '^all', ...packet });
  return {
    msgtype: 'm.text',
    body: 'Processed X radio packet',
    mmrelay_suppress: true,
    meshtastic_packet: text,
    ...more,
  };
}

const payload = Buffer.from(waypoint.payload).toString('base64');
const WAYPOINT = carrying({ decoded: { portnum: 'WAYPOINT_APP', payload } });

describe('mesh_relay, to the room', () => {
  it('puts a packet into the first room of its channel, marked and in base64', async () => {
    const rooms = [
      { room: '!a:x', radio: 'default', channel: 0 },
      { room: '!b:x', radio: 'default', channel: 2 },
      { room: '!c:x', radio: 'default', channel: 2 },
    ];
    const tester = relay({}, { rooms });
    await tester.packet({ ...position, channel: 2 });
    const [sent, ...more] = tester.sent.rooms;
    expect(more).toEqual([]);
    expect(sent).toMatchObject({
      room: '!b:x',
      text: 'Processed POSITION_APP radio packet',
      content: { mmrelay_suppress: true, meshtastic_meshnet: 'Home' },
    });
    const content = sent !== undefined && 'content' in sent ? sent.content : {};
    expect(JSON.parse(String(content.meshtastic_packet))).toEqual({
      from: 0x0a11ce01,
      to: BROADCAST,
      channel: 2,
      decoded: { portnum: 'POSITION_APP', payload: 'AQID' },
      id: 4711,
      rxTime: 1_750_000_000,
      rxSnr: 5,
      hopLimit: 3,
      rxRssi: -80,
      hopStart: 3,
      fromId: '!0a11ce01',
      toId: '^all',
    });
  });

  it.each([
    ['text', { portnum: 1, portName: 'TEXT_MESSAGE_APP' }],
    ['admin', { portnum: 6, portName: 'ADMIN_APP' }],
    ['encrypted', { ...position, encrypted: true, portName: 'ENCRYPTED' }],
    ['direct', { ...position, direct: true }],
    ['unmapped', { ...position, channel: 5 }],
    ['unlisted', { portnum: 256, portName: 'PRIVATE_APP' }],
  ])('passes no %s packet on, whatever the list says', async (_name, packet) => {
    const tester = relay({ ports: ['TEXT_MESSAGE_APP', 'ADMIN_APP', 'ENCRYPTED', 'POSITION_APP'] });
    await tester.start();
    await tester.packet(packet);
    expect(tester.sent.rooms).toEqual([]);
    expect(tester.log).toMatchObject([{ level: 'warn', fields: { ports: 'TEXT_MESSAGE_APP, ADMIN_APP, ENCRYPTED' } }]);
  });

  it('never takes a text', async () => {
    expect(await relay().mesh('hello')).toMatchObject({ handled: false });
  });
});

describe('mesh_relay, to the mesh', () => {
  it("sends a peer's packet to the channel of the room, as our own broadcast", async () => {
    const tester = relay();
    await tester.relayEvent({ sender: PEER, channel: 3, radio: 'default', content: WAYPOINT });
    expect(tester.sent.packets).toEqual([
      { radio: 'default', channel: 3, to: BROADCAST, portnum: 8, payload: waypoint.payload },
    ]);
    expect(tester.sent.rooms).toEqual([]);
  });

  it('takes the packet as an object, too, which some relays of old wrote', async () => {
    const tester = relay();
    const packet = { to: BROADCAST, decoded: { portnum: 'WAYPOINT_APP', payload } };
    await tester.relayEvent({ sender: PEER, content: { mmrelay_suppress: true, meshtastic_packet: packet } });
    expect(tester.sent.packets).toHaveLength(1);
  });

  it.each([
    ['from somebody who is no peer', { sender: '@mallory:example.org', content: WAYPOINT }],
    ['of a port that is not taken', { content: carrying({ decoded: { portnum: 'ATAK_PLUGIN', payload } }) }],
    ['that would speak for our own node', { content: carrying({ decoded: { portnum: 'NODEINFO_APP', payload } }) }],
    ['with power over a node', { content: carrying({ decoded: { portnum: 'ADMIN_APP', payload } }) }],
    ['that is a text', { content: carrying({ decoded: { portnum: 'TEXT_MESSAGE_APP', payload } }) }],
    ['for one node', { content: carrying({ toId: '!0a11ce01', decoded: { portnum: 'WAYPOINT_APP', payload } }) }],
    ['from a relay on this mesh', { content: { ...WAYPOINT, meshtastic_meshnet: 'Home' } }],
    ['that is no JSON', { content: { ...WAYPOINT, meshtastic_packet: 'Processed' } }],
    ['without payload', { content: carrying({ decoded: { portnum: 'WAYPOINT_APP', payload: '' } }) }],
    [
      'whose payload is no base64',
      { content: carrying({ decoded: { portnum: 'WAYPOINT_APP', payload: '\u0001{}' } }) },
    ],
    ['that is only in the body', { content: { body: 'Processed {"toId":"^all"} radio packet', msgtype: 'm.text' } }],
  ])('sends no packet %s', async (_name, change) => {
    const tester = relay({ mesh_ports: ['WAYPOINT_APP', 'NODEINFO_APP', 'ADMIN_APP', 'TEXT_MESSAGE_APP'] });
    await tester.relayEvent({ sender: PEER, ...change });
    expect(tester.sent.packets).toEqual([]);
  });

  it('without peers nothing comes in', async () => {
    const tester = relay({ peers: [] });
    await tester.relayEvent({ sender: PEER, content: WAYPOINT });
    expect(tester.sent.packets).toEqual([]);
  });
});

describe('mesh_relay, round and round', () => {
  it('what came out of the room does not go back, from whichever node it is heard', async () => {
    const tester = relay();
    await tester.relayEvent({ sender: PEER, content: WAYPOINT });
    await tester.packet({ ...waypoint, from: 0x0bb00001, id: 99 });
    expect(tester.sent.rooms).toEqual([]);
  });

  it('what this mesh said, or got, is not sent to it again', async () => {
    const tester = relay();
    await tester.packet(waypoint);
    await tester.relayEvent({ sender: PEER, content: WAYPOINT });
    expect(tester.sent.rooms).toHaveLength(1);
    expect(tester.sent.packets).toEqual([]);
  });

  it('after an hour the same may cross again', async () => {
    const tester = relay();
    await tester.relayEvent({ sender: PEER, content: WAYPOINT });
    await tester.relayEvent({ sender: PEER, content: WAYPOINT });
    expect(tester.sent.packets).toHaveLength(1);
    await tester.clock.advance(HOUR_MS + 1_000);
    await tester.relayEvent({ sender: PEER, content: WAYPOINT });
    expect(tester.sent.packets).toHaveLength(2);
  });

  it.each([
    ['and that is seen by its mark', true, { A: 0, B: 1 }],
    ['and no mark says so', false, { A: 1, B: 1 }],
  ])('three relays, two of them on one mesh %s: nothing goes round', async (_name, marked, expected) => {
    const users = ['@a:x', '@a2:x', '@b:x'] as const;
    const mesh = { '@a:x': 'A', '@a2:x': 'A', '@b:x': 'B' } as const;
    const relays = users.map((user) => ({
      user,
      tester: relay({ peers: users.filter((other) => other !== user) }, { status: statusOf(mesh[user]) }),
    }));
    const heard = { A: 0, B: 0 };
    await relays[0]?.tester.packet(waypoint);
    for (let round = 0; round < 5; round += 1) {
      for (const { user, tester } of relays) {
        const others = relays.filter((other) => other.user !== user);
        for (const output of tester.sent.rooms.splice(0)) {
          const content = {
            ...('content' in output ? output.content : {}),
            ...(marked ? {} : { meshtastic_meshnet: '' }),
          };
          for (const other of others) await other.tester.relayEvent({ sender: user, content });
        }
        for (const _packet of tester.sent.packets.splice(0)) {
          heard[mesh[user]] += 1;
          for (const other of others) if (mesh[other.user] === mesh[user]) await other.tester.packet(waypoint);
        }
      }
    }
    expect(heard).toEqual(expected);
  });
});

function statusOf(meshnet: string) {
  return { ...relayStatus, radios: relayStatus.radios.map((radio) => ({ ...radio, meshnet })) };
}
