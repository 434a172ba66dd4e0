import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import type { Client } from '../contract/homeserver-client.ts';
import { roomEvents, sendEvent, untilSeen } from './support/conversation.ts';
import { eventually } from './support/eventually.ts';
import { type MeshName, meshNodeNum, relayUser, ThreeMeshes } from './support/three-meshes.ts';

const { synapse: noSynapse, mmrelay: noRelay } = inject('pythonMissing');
const missing = noSynapse ?? noRelay;
const title = 'mesh_relay between three meshes, one of them behind the Python mmrelay 1.4';

const WAYPOINT_APP = 8;
const POSITION_APP = 3;
const BROADCAST = 0xffffffff;

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  let stage: ThreeMeshes;
  let carol: Client;
  let roomId: string;

  const radio = (mesh: MeshName): VirtualRadio => stage.radio(mesh);

  function say(mesh: MeshName, portnum: number, payload: readonly number[]): void {
    radio(mesh)
      .node(meshNodeNum(mesh))
      .send({ channel: 0, to: BROADCAST, portnum, payload: Uint8Array.from(payload) });
  }

  /** Payloads that the nodes of a mesh heard from the relay's node. */
  function heard(mesh: MeshName, portnum: number): readonly number[][] {
    return radio(mesh)
      .mesh.heard.filter(({ packet }) => packet.from === radio(mesh).nodeNum && packet.portnum === portnum)
      .map(({ packet }) => [...packet.payload]);
  }

  function untilHeard(mesh: MeshName, payload: readonly number[]): Promise<unknown> {
    const wanted = payload.join();
    const found = () => heard(mesh, WAYPOINT_APP).find((one) => one.join() === wanted) ?? null;
    return eventually(`waypoint ${wanted} on ${mesh}`, found, 30_000);
  }

  beforeAll(async () => {
    stage = await ThreeMeshes.start((mesh, peers) => ({
      plugins: { mesh_relay: { active: true, ...(mesh === 'Beta' ? {} : { peers }) } },
    }));
    ({ carol, roomId } = stage);
  });

  afterAll(() => stage?.stop());

  it('a waypoint of one of our meshes is heard on the other', async () => {
    say('Alpha', WAYPOINT_APP, [8, 1]);
    await untilHeard('Gamma', [8, 1]);
    say('Gamma', WAYPOINT_APP, [8, 2]);
    await untilHeard('Alpha', [8, 2]);
  });

  it('a waypoint of the mesh of the Python relay is heard on both of ours', async () => {
    say('Beta', WAYPOINT_APP, [8, 3]);
    await untilHeard('Alpha', [8, 3]);
    await untilHeard('Gamma', [8, 3]);
  });

  it('positions get into the room in the form of old, and onto no mesh', async () => {
    say('Alpha', POSITION_APP, [13, 0, 0, 0, 0]);
    say('Beta', POSITION_APP, [13, 1, 0, 0, 0]);
    for (const mesh of ['Alpha', 'Beta'] as const) {
      const { content } = await untilSeen(
        carol,
        roomId,
        (event) => event.sender === relayUser(mesh) && event.content.body === 'Processed POSITION_APP radio packet',
      );
      expect(content.mmrelay_suppress).toBe(true);
      expect(JSON.parse(String(content.meshtastic_packet))).toMatchObject({
        from: meshNodeNum(mesh),
        toId: '^all',
        decoded: { portnum: 'POSITION_APP', payload: expect.stringMatching(/^D/) },
      });
    }
  });

  it('what a person forges in either form reaches neither of our meshes', async () => {
    const packet = JSON.stringify({ toId: '^all', decoded: { portnum: 'WAYPOINT_APP', payload: 'CAk=' } });
    const body = 'Processed WAYPOINT_APP radio packet';
    await sendEvent(carol, roomId, { msgtype: 'm.text', body, mmrelay_suppress: true, meshtastic_packet: packet });
    // What comes later is heard, so the forged one would have been.
    say('Alpha', WAYPOINT_APP, [8, 4]);
    await untilHeard('Gamma', [8, 4]);
    say('Gamma', WAYPOINT_APP, [8, 5]);
    await untilHeard('Alpha', [8, 5]);
    expect(heard('Alpha', WAYPOINT_APP)).toEqual([
      [8, 2],
      [8, 3],
      [8, 5],
    ]);
    expect(heard('Gamma', WAYPOINT_APP)).toEqual([
      [8, 1],
      [8, 3],
      [8, 4],
    ]);
    expect([...heard('Alpha', POSITION_APP), ...heard('Gamma', POSITION_APP)]).toEqual([]);
    const processed = (await roomEvents(carol, roomId)).filter(({ content }) => content.body === body);
    // Five said, one forged; nothing was said again by a relay that heard another's.
    expect(processed).toHaveLength(6);
  });
});
