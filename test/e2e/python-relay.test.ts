import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import type { Client } from '../contract/homeserver-client.ts';
import { heardTexts, roomEvents, sendText, untilHeard, untilSeen } from './support/conversation.ts';
import { eventually } from './support/eventually.ts';
import { MESHES, type MeshName, meshNodeNum, ThreeMeshes } from './support/three-meshes.ts';

const { synapse: noSynapse, mmrelay: noRelay } = inject('pythonMissing');
const missing = noSynapse ?? noRelay;
const title = 'three meshes in one room: two of ours and the Python mmrelay 1.4';

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  let stage: ThreeMeshes;
  let carol: Client;
  let roomId: string;

  const radio = (mesh: MeshName): VirtualRadio => stage.radio(mesh);

  beforeAll(async () => {
    stage = await ThreeMeshes.start((mesh, others) => ({
      meshtastic: { message_interactions: { reactions: true, replies: true } },
      matrix: mesh === 'Beta' ? {} : { trusted_relays: others },
    }));
    ({ carol, roomId } = stage);
  });

  afterAll(() => stage?.stop());

  it('a text of each mesh is heard once on the two others, under its sender', async () => {
    for (const mesh of MESHES) radio(mesh).node(meshNodeNum(mesh)).sendText(0, `hello from ${mesh}`);

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
    const beta = radio('Beta').node(meshNodeNum('Beta'));
    beta.sendText(0, 'who is there?');
    const heard = await untilHeard(radio('Alpha'), '[Node Beta/Beta]: who is there?', 60_000);
    radio('Alpha').node(meshNodeNum('Alpha')).sendText(0, 'we are', { replyId: heard.id });

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
    const id = radio('Alpha').node(meshNodeNum('Alpha')).sendText(0, 'sun is out');
    await untilSeen(
      carol,
      roomId,
      ({ content }) => content.meshtastic_id === id && content.meshtastic_meshnet === 'Alpha',
    );
    const onBeta = await untilHeard(radio('Beta'), '[Node Alpha/Alph]: sun is out', 60_000);
    radio('Beta').node(meshNodeNum('Beta')).sendText(0, '☀️', { replyId: onBeta.id, emoji: true });

    await eventually(
      'the reaction on Alpha',
      () => heardTexts(radio('Alpha')).find(({ text }) => text.includes('☀️')) ?? null,
      60_000,
    );
    const onGamma = await untilHeard(radio('Gamma'), '[Node Alpha/Alph]: sun is out', 60_000);
    radio('Gamma').node(meshNodeNum('Gamma')).sendText(0, '🌞', { replyId: onGamma.id, emoji: true });

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
