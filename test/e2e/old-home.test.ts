import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { Client, enc, V3 } from '../contract/homeserver-client.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { heardTexts, sendText, untilHeard, untilSeen } from './support/conversation.ts';
import { PythonRelay } from './support/python-relay.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const { synapse: noSynapse, mmrelay: noRelay } = inject('pythonMissing');
const missing = noSynapse ?? noRelay;
const title = 'a home that the Python mmrelay 1.4 has made and left';
const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  const old = new PythonRelay();
  let radio: VirtualRadio;
  let synapse: Synapse;
  let carol: Client;
  let roomId: string;
  let daemon: DaemonProcess;
  let config: object;

  beforeAll(async () => {
    radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [NODE] });
    synapse = await startSynapse({ rateLimits: 'off' });
    await synapse.registerUser('relay', 'a password');
    carol = new Client(synapse, await synapse.registerUser('carol', 'another'));
    roomId = await carol.createRoom({ preset: 'public_chat', name: 'Valley' });
    config = {
      meshtastic: {
        connection_type: 'tcp',
        host: '127.0.0.1',
        port: radio.port,
        meshnet_name: 'Home',
        message_interactions: { reactions: true, replies: true },
      },
      matrix: { homeserver: synapse.baseUrl, bot_user_id: '@relay:synapse.test', password: 'a password' },
      matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
    };
    await old.start(config);
  });

  afterAll(async () => {
    await daemon?.close();
    await old.stop();
    await radio?.close();
    await synapse?.stop();
  });

  it('is opened as it is: account, names and the map of messages go on', async () => {
    const packetId = radio.node(NODE.num).sendText(0, 'said to the old one');
    const seen = await untilSeen(carol, roomId, ({ content }) => content.meshtastic_id === packetId);
    await old.end();
    const credentials = JSON.parse(readFileSync(join(old.home, 'matrix', 'credentials.json'), 'utf8'));
    radio.node(NODE.num).sendText(0, 'said to nobody');

    daemon = new DaemonProcess({ config, home: old.home });
    daemon.start();
    await daemon.ready();

    const answerPacket = radio.node(NODE.num).sendText(0, 'said to the new one', { replyId: packetId });
    const answer = await untilSeen(carol, roomId, ({ content }) => content.meshtastic_id === answerPacket);
    await untilSeen(carol, roomId, ({ content }) => content.body === '[Alice/Home]: said to nobody');
    expect(answer.content.body).toBe('[Alice/Home]: said to the new one');
    expect(answer.content['m.relates_to']).toEqual({ 'm.in_reply_to': { event_id: seen.event_id } });
    await sendText(carol, roomId, 'welcome', { 'm.relates_to': { 'm.in_reply_to': { event_id: seen.event_id } } });
    expect(await untilHeard(radio, 'carol[M]: welcome')).toMatchObject({ replyId: packetId });
    const whoami = (await carol.ok('GET', `${V3}/rooms/${enc(roomId)}/joined_members`)).joined;
    expect(Object.keys(whoami)).toContain(credentials.user_id);
    expect(existsSync(join(old.home, 'database', 'meshtastic.sqlite'))).toBe(true);
  });

  it('and the old relay can have it back', async () => {
    expect(await daemon.end('SIGTERM')).toBe(0);
    await old.start(config);

    const packetId = radio.node(NODE.num).sendText(0, 'back again');
    await untilSeen(carol, roomId, ({ content }) => content.meshtastic_id === packetId, 60_000);
  });

  it('and the new one again: what the old one has sent meanwhile goes on the air once', async () => {
    await sendText(carol, roomId, 'meanwhile');
    await untilHeard(radio, 'carol[M]: meanwhile', 60_000);
    await old.end();

    daemon.start();
    await daemon.ready();
    await sendText(carol, roomId, 'for the new one');
    await untilHeard(radio, 'carol[M]: for the new one', 60_000);

    expect(heardTexts(radio).filter(({ text }) => text === 'carol[M]: meanwhile')).toHaveLength(1);
  });
});
