import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { Client } from '../contract/homeserver-client.ts';
import { roomEvents, sendEvent, untilSeen } from './support/conversation.ts';
import { DaemonProcess } from './support/daemon-process.ts';
import { eventually } from './support/eventually.ts';
import { PythonRelay } from './support/python-relay.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const { synapse: noSynapse, mmrelay: noRelay } = inject('pythonMissing');
const missing = noSynapse ?? noRelay;
const title = 'mesh_relay between three meshes, one of them behind the Python mmrelay 1.4';

/** Ours on the meshes Alpha and Gamma, the relay of old on Beta. */
const MESHES = ['Alpha', 'Beta', 'Gamma'] as const;
type MeshName = (typeof MESHES)[number];

const WAYPOINT_APP = 8;
const POSITION_APP = 3;
const BROADCAST = 0xffffffff;

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
    const peers = MESHES.filter((other) => other !== mesh).map(user);
    return {
      meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio(mesh).port, meshnet_name: mesh },
      matrix: { homeserver: synapse.baseUrl, bot_user_id: user(mesh), password: 'a password' },
      matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
      plugins: { mesh_relay: { active: true, ...(mesh === 'Beta' ? {} : { peers }) } },
    };
  }

  function say(mesh: MeshName, portnum: number, payload: readonly number[]): void {
    radio(mesh)
      .node(nodeNum(mesh))
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
        (event) => event.sender === user(mesh) && event.content.body === 'Processed POSITION_APP radio packet',
      );
      expect(content.mmrelay_suppress).toBe(true);
      expect(JSON.parse(String(content.meshtastic_packet))).toMatchObject({
        from: nodeNum(mesh),
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
