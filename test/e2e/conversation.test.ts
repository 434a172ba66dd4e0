import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { Client, enc, V3 } from '../contract/homeserver-client.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { heardTexts, roomEvents, sendEvent, sendText, untilHeard, untilSeen } from './support/conversation.ts';
import { type ClientReport, MeshtasticClient } from './support/meshtastic-client.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const { synapse: noSynapse, meshtastic: noMeshtastic } = inject('pythonMissing');
const missing = noSynapse ?? noMeshtastic;
const ALICE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };
const BOB = { num: 0x0b0bca02, longName: 'Bob', shortName: 'BOB' };
const title = 'a conversation over the daemon, Synapse and the virtual radio';

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  let radio: VirtualRadio;
  let synapse: Synapse;
  let daemon: DaemonProcess;
  let carol: Client;
  let roomId: string;

  beforeAll(async () => {
    radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [ALICE, BOB] });
    synapse = await startSynapse({ rateLimits: 'off' });
    await synapse.registerUser('relay', 'a password');
    carol = new Client(synapse, await synapse.registerUser('carol', 'another'));
    roomId = await carol.createRoom({ preset: 'public_chat', name: 'Mountain' });
    daemon = new DaemonProcess({
      config: {
        meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: 'E2E' },
        matrix: {
          homeserver: synapse.baseUrl,
          bot_user_id: '@relay:synapse.test',
          password: 'a password',
          e2ee: { enabled: false },
        },
        matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
        relay: { redactions: 'notice' },
        direct_messages: { users: ['@carol:synapse.test'] },
      },
    });
    daemon.start();
    await daemon.ready();
    await untilJoined();
  });

  afterAll(async () => {
    await daemon?.close();
    await radio?.close();
    await synapse?.stop();
  });

  async function untilJoined(): Promise<void> {
    const path = `${V3}/rooms/${enc(roomId)}/joined_members`;
    await daemon.until(
      () => daemon.output.includes('Joined a room') || daemon.output.includes('Relay startup complete'),
      'the join',
    );
    expect(Object.keys((await carol.ok('GET', path)).joined)).toContain('@relay:synapse.test');
  }

  it('texts, replies and reactions keep their meaning, both ways', async () => {
    const packetId = radio.node(ALICE.num).sendText(0, 'snow at 2*3*4 m, <b>deep</b> [/x]');
    const seen = await untilSeen(carol, roomId, ({ content }) => content.meshtastic_id === packetId);
    expect(seen.content.body).toBe('[Alice/E2E]: snow at 2*3*4 m, <b>deep</b> [/x]');
    expect(seen.content.formatted_body).toBeUndefined();

    const relates = { 'm.relates_to': { 'm.in_reply_to': { event_id: seen.event_id } } };
    await sendText(carol, roomId, '> <@relay:synapse.test> snow\n\nstay safe', relates);
    const reply = await untilHeard(radio, 'carol[M]: stay safe');
    expect(reply.replyId).toBe(packetId);

    await sendEvent(
      carol,
      roomId,
      { 'm.relates_to': { rel_type: 'm.annotation', event_id: seen.event_id, key: '❄️' } },
      'm.reaction',
    );
    expect(await untilHeard(radio, '❄️')).toMatchObject({ replyId: packetId, emoji: 1 });

    radio.node(BOB.num).sendText(0, 'on my way', { replyId: reply.id });
    const answer = await untilSeen(carol, roomId, ({ content }) => content.body === '[Bob/E2E]: on my way');
    const replied = (await roomEvents(carol, roomId)).find(({ content }) => content.body?.endsWith('stay safe'));
    expect(answer.content['m.relates_to']).toEqual({ 'm.in_reply_to': { event_id: replied?.event_id } });
  });

  it('the official client at the other end of the mesh sees text, reply and tapback as such', async () => {
    const far = await createVirtualRadio({
      region: 'US',
      modemPreset: 'SHORT_TURBO',
      nodeNum: BOB.num,
      longName: 'Bob',
      shortName: 'BOB',
    });
    const unwatch = radio.mesh.watch(({ packet }) => far.injectPacket(packet));
    const client = await MeshtasticClient.connect(far.host, far.port);
    const packetId = radio.node(ALICE.num).sendText(0, 'look up');
    const seen = await untilSeen(carol, roomId, ({ content }) => content.meshtastic_id === packetId);
    await sendText(carol, roomId, 'I see', { 'm.relates_to': { 'm.in_reply_to': { event_id: seen.event_id } } });
    await sendEvent(
      carol,
      roomId,
      { 'm.relates_to': { rel_type: 'm.annotation', event_id: seen.event_id, key: '🦅' } },
      'm.reaction',
    );

    const heard = (text: string): Promise<ClientReport> =>
      client.wait(({ kind, ...report }) => kind === 'packet' && JSON.stringify(report).includes(text));
    const [reply, tapback] = [await heard('carol[M]: I see'), await heard('🦅')];
    await client.close();
    unwatch();
    await far.close();

    expect(JSON.stringify(reply)).toContain(String(packetId));
    expect(reply).toMatchObject({ emoji: 0 });
    expect(JSON.stringify(tapback)).toContain(String(packetId));
    expect(tapback).toMatchObject({ emoji: 1 });
  });

  it('two nodes with one tapback: the first is native, the second is said in words', async () => {
    const packetId = radio.node(ALICE.num).sendText(0, 'summit!');
    const target = await untilSeen(carol, roomId, ({ content }) => content.meshtastic_id === packetId);
    radio.node(BOB.num).sendText(0, '👍', { replyId: packetId, emoji: true });
    radio.node(ALICE.num).sendText(0, '👍', { replyId: packetId, emoji: true });

    const native = await untilSeen(
      carol,
      roomId,
      ({ type, sender }) => type === 'm.reaction' && sender !== carol.user.userId,
    );
    const spoken = await untilSeen(carol, roomId, ({ content }) => content.body === '[Alice/E2E]: reacted 👍');

    expect(native.content['m.relates_to']).toMatchObject({ event_id: target.event_id, key: '👍' });
    expect(spoken.content['m.relates_to']).toEqual({ 'm.in_reply_to': { event_id: target.event_id } });
  });

  it('every kind of event arrives as something a small screen can show, or not at all', async () => {
    const before = heardTexts(radio).length;
    const original = await sendText(carol, roomId, 'meet at nine');
    await untilHeard(radio, 'carol[M]: meet at nine');
    const edit = {
      'm.new_content': { msgtype: 'm.text', body: 'meet at ten' },
      'm.relates_to': { rel_type: 'm.replace', event_id: original },
    };
    await sendText(carol, roomId, '* meet at ten', edit);
    await sendEvent(carol, roomId, {
      msgtype: 'm.image',
      body: 'hut.jpg',
      url: 'mxc://synapse.test/x',
      info: { size: 81_234 },
    });
    await sendEvent(carol, roomId, { msgtype: 'm.notice', body: 'a bot speaks' });
    await sendEvent(carol, roomId, { msgtype: 'm.location', body: 'hut', geo_uri: 'geo:47.5,11.25' });
    await sendEvent(carol, roomId, { body: 'frog', url: 'mxc://synapse.test/y', info: {} }, 'm.sticker');
    const poll = {
      'm.text': [{ body: 'Where?' }],
      'm.poll': {
        question: { 'm.text': [{ body: 'Where?' }] },
        answers: [{ 'm.id': 'a', 'm.text': [{ body: 'hut' }] }],
      },
    };
    await sendEvent(carol, roomId, poll, 'm.poll.start');
    await carol.ok('PUT', `${V3}/rooms/${enc(roomId)}/redact/${enc(original)}/gone`, {});
    await sendText(carol, roomId, 'x'.repeat(300));
    await untilHeard(radio, 'carol[M]: [poll] Where? 1) hut', 60_000);
    await untilHeard(radio, 'carol[M]: deleted a message: "meet at nine"', 60_000);

    const parts = await untilHeard(radio, `(2/2) ${'x'.repeat(300 - (232 - 'carol[M]: (1/2) '.length))}`, 60_000);

    expect(parts.replyId).toBe(0);
    expect(
      heardTexts(radio)
        .slice(before)
        .map(({ text }) => text)
        .filter((text) => !text.includes('xxx')),
    ).toEqual([
      'carol[M]: meet at nine',
      'carol[M]: * meet at ten',
      'carol[M]: [image hut.jpg, 81 kB]',
      'carol[M]: [location 47.50000,11.25000] hut',
      'carol[M]: [sticker] frog',
      'carol[M]: [poll] Where? 1) hut',
      'carol[M]: deleted a message: "meet at nine"',
    ]);
  });

  it('a direct message opens a room for one, and the answer goes to that node alone', async () => {
    radio.node(ALICE.num).sendText(0, 'only for you', { to: radio.nodeNum });
    const invited = await untilInvited(carol);
    await carol.ok('POST', `${V3}/join/${enc(invited)}`, {});
    await untilSeen(carol, invited, ({ content }) => content.body === 'only for you');
    expect((await roomEvents(carol, roomId)).some(({ content }) => content.body?.includes('only for you'))).toBe(false);

    await sendText(carol, invited, 'between us');

    expect(await untilHeard(radio, 'between us')).toMatchObject({ to: ALICE.num });
  });

  it('after a restart, replies still find their message', async () => {
    const packetId = radio.node(ALICE.num).sendText(0, 'before the restart');
    const seen = await untilSeen(carol, roomId, ({ content }) => content.meshtastic_id === packetId);
    expect(await daemon.end('SIGTERM')).toBe(0);
    await sendText(carol, roomId, 'while you were away', {
      'm.relates_to': { 'm.in_reply_to': { event_id: seen.event_id } },
    });
    radio.node(BOB.num).sendText(0, 'me too', { replyId: packetId });
    daemon.start();
    await daemon.ready();

    const late = await untilHeard(radio, 'carol[M]: while you were away');
    const answer = await untilSeen(carol, roomId, ({ content }) => content.body === '[Bob/E2E]: me too');

    expect(late.replyId).toBe(packetId);
    expect(answer.content['m.relates_to']).toEqual({ 'm.in_reply_to': { event_id: seen.event_id } });
  });
});

/** The first room that invites the user. */
async function untilInvited(client: Client): Promise<string> {
  for (let round = 0; round < 200; round += 1) {
    // Synapse answers the very same request from a cache.
    const answer = await client.sync({ timeout: String(500 + round) });
    const [invited] = Object.keys(answer.rooms?.invite ?? {});
    if (invited !== undefined) return invited;
  }
  throw new Error(`${client.user.userId} was not invited`);
}
