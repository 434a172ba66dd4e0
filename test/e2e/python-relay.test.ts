import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { Client } from '../contract/homeserver-client.ts';
import { heardTexts, roomEvents, sendText, untilHeard, untilSeen } from './support/conversation.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { PythonRelay } from './support/python-relay.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const { synapse: noSynapse, mmrelay: noRelay } = inject('pythonMissing');
const missing = noSynapse ?? noRelay;
const title = 'three meshes in one room: two of ours and the Python mmrelay 1.4';

/** Ours on the meshes Alpha and Gamma, the relay of old on Beta. */
const MESHES = ['Alpha', 'Beta', 'Gamma'] as const;
type MeshName = (typeof MESHES)[number];

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  const radios = new Map<MeshName, VirtualRadio>();
  const daemons: DaemonProcess[] = [];
  const old = new PythonRelay();
  let synapse: Synapse;
  let carol: Client;
  let roomId: string;

  const radio = (mesh: MeshName): VirtualRadio => radios.get(mesh) as VirtualRadio;
  const nodeNum = (mesh: MeshName): number => 0x0a000001 + MESHES.indexOf(mesh);
  const user = (mesh: MeshName): string => `@relay${mesh.toLowerCase()}:synapse.test`;

  function config(mesh: MeshName): object {
    return {
      meshtastic: {
        connection_type: 'tcp',
        host: '127.0.0.1',
        port: radio(mesh).port,
        meshnet_name: mesh,
        message_interactions: { reactions: true, replies: true },
      },
      matrix: {
        homeserver: synapse.baseUrl,
        bot_user_id: user(mesh),
        password: 'a password',
        ...(mesh === 'Beta' ? {} : { trusted_relays: MESHES.filter((other) => other !== mesh).map(user) }),
      },
      matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
    };
  }

  beforeAll(async () => {
    synapse = await startSynapse({ rateLimits: 'off' });
    carol = new Client(synapse, await synapse.registerUser('carol', 'another'));
    roomId = await carol.createRoom({ preset: 'public_chat', name: 'Valley' });
    for (const mesh of MESHES) {
      await synapse.registerUser(user(mesh).slice(1).split(':')[0] ?? '', 'a password');
      const node = { num: nodeNum(mesh), longName: `Node ${mesh}`, shortName: mesh.slice(0, 2).toUpperCase() };
      radios.set(mesh, await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [node] }));
    }
    for (const mesh of ['Alpha', 'Gamma'] as const) {
      const daemon = new DaemonProcess({ config: config(mesh) });
      daemons.push(daemon);
      daemon.start();
      await daemon.ready();
    }
    await old.start(config('Beta'));
  });

  afterAll(async () => {
    await old.stop();
    for (const daemon of daemons) await daemon.close();
    for (const one of radios.values()) await one.close();
    await synapse?.stop();
  });

  it('a text of each mesh is heard once on the two others, under its sender', async () => {
    for (const mesh of MESHES) radio(mesh).node(nodeNum(mesh)).sendText(0, `hello from ${mesh}`);

    for (const mesh of MESHES) {
      for (const other of MESHES.filter((one) => one !== mesh)) {
        const text = `[Node ${mesh}/${mesh.slice(0, 4)}]: hello from ${mesh}`;
        await untilHeard(radio(other), text, 60_000);
        expect(heardTexts(radio(other)).filter((heard) => heard.text === text)).toHaveLength(1);
      }
    }
    expect(
      (await roomEvents(carol, roomId)).filter(({ content }) => content.body?.includes('hello from')),
    ).toHaveLength(3);
  });

  it('what a person says is heard on all three', async () => {
    await sendText(carol, roomId, 'lunch at one');

    for (const mesh of MESHES) await untilHeard(radio(mesh), 'carol[M]: lunch at one', 60_000);
  });

  it("replies reach across: to the old relay's message on our mesh, and to ours on its mesh", async () => {
    const beta = radio('Beta').node(nodeNum('Beta'));
    beta.sendText(0, 'who is there?');
    const heard = await untilHeard(radio('Alpha'), '[Node Beta/Beta]: who is there?', 60_000);
    radio('Alpha').node(nodeNum('Alpha')).sendText(0, 'we are', { replyId: heard.id });

    const onBeta = await eventually(
      'the reply on Beta',
      () => heardTexts(radio('Beta')).find(({ text }) => text.endsWith('we are')) ?? null,
      60_000,
    );

    expect(onBeta.replyId).not.toBe(0);
    beta.sendText(0, 'good', { replyId: onBeta.id });
    const answer = await eventually(
      'the answer on Alpha',
      () => heardTexts(radio('Alpha')).find(({ text }) => text.endsWith('good')) ?? null,
      60_000,
    );
    expect(answer.replyId).not.toBe(0);
  });

  it("a reaction of the old relay's kind is understood, and ours by it", async () => {
    const id = radio('Alpha').node(nodeNum('Alpha')).sendText(0, 'sun is out');
    await untilSeen(
      carol,
      roomId,
      ({ content }) => content.meshtastic_id === id && content.meshtastic_meshnet === 'Alpha',
    );
    const onBeta = await untilHeard(radio('Beta'), '[Node Alpha/Alph]: sun is out', 60_000);
    radio('Beta').node(nodeNum('Beta')).sendText(0, '☀️', { replyId: onBeta.id, emoji: true });

    await eventually(
      'the reaction on Alpha',
      () => heardTexts(radio('Alpha')).find(({ text }) => text.includes('☀️')) ?? null,
      60_000,
    );
    const onGamma = await untilHeard(radio('Gamma'), '[Node Alpha/Alph]: sun is out', 60_000);
    radio('Gamma').node(nodeNum('Gamma')).sendText(0, '🌞', { replyId: onGamma.id, emoji: true });

    expect(
      await eventually(
        'our tapback on Alpha',
        () => heardTexts(radio('Alpha')).find(({ text }) => text === '🌞') ?? null,
        60_000,
      ),
    ).toMatchObject({ emoji: 1, replyId: id });
    await eventually(
      'our reaction on Beta',
      () => heardTexts(radio('Beta')).find(({ text }) => text.includes('🌞')) ?? null,
      60_000,
    );
  });

  it('nothing goes round in circles', () => {
    for (const mesh of MESHES) {
      const texts = heardTexts(radio(mesh)).map(({ text }) => text);
      expect(texts.length).toBe(new Set(texts).size);
      expect(texts.length).toBeLessThan(12);
    }
  });
});
