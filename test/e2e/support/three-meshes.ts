import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { Client } from '../../contract/homeserver-client.ts';
import { DaemonProcess } from '../../support/daemon-process.ts';
import { PythonRelay } from './python-relay.ts';
import { type Synapse, startSynapse } from './synapse.ts';

/** Ours on the meshes Alpha and Gamma, the relay of old on Beta. */
export const MESHES = ['Alpha', 'Beta', 'Gamma'] as const;
export type MeshName = (typeof MESHES)[number];

/** Keys besides those that join a mesh to the room, by section. */
export interface MoreConfig {
  readonly meshtastic?: object;
  readonly matrix?: object;
  readonly plugins?: object;
}

const PASSWORD = 'a password';

export const meshNodeNum = (mesh: MeshName): number => 0x0a000001 + MESHES.indexOf(mesh);
export const relayUser = (mesh: MeshName): string => `@relay${mesh.toLowerCase()}:synapse.test`;

/** Three meshes of one node each, their relays, and Carol, in one room on Synapse. One per test file. */
export class ThreeMeshes {
  readonly carol: Client;
  readonly roomId: string;
  readonly daemons: DaemonProcess[] = [];
  readonly old = new PythonRelay();
  readonly #synapse: Synapse;
  readonly #radios = new Map<MeshName, VirtualRadio>();

  private constructor(synapse: Synapse, carol: Client, roomId: string) {
    this.#synapse = synapse;
    this.carol = carol;
    this.roomId = roomId;
  }

  /** @param more for this mesh; `others` are the accounts of the two other relays */
  static async start(more: (mesh: MeshName, others: readonly string[]) => MoreConfig): Promise<ThreeMeshes> {
    const synapse = await startSynapse({ rateLimits: 'off' });
    const carol = new Client(synapse, await synapse.registerUser('carol', 'another'));
    const stage = new ThreeMeshes(synapse, carol, await carol.createRoom({ preset: 'public_chat', name: 'Valley' }));
    for (const mesh of MESHES) {
      await synapse.registerUser(relayUser(mesh).slice(1).split(':')[0] ?? '', PASSWORD);
      const node = { num: meshNodeNum(mesh), longName: `Node ${mesh}`, shortName: mesh.slice(0, 2).toUpperCase() };
      stage.#radios.set(mesh, await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [node] }));
    }
    const config = (mesh: MeshName): object =>
      stage.#config(mesh, more(mesh, MESHES.filter((other) => other !== mesh).map(relayUser)));
    for (const mesh of ['Alpha', 'Gamma'] as const) {
      const daemon = new DaemonProcess({ config: config(mesh) });
      stage.daemons.push(daemon);
      daemon.start();
      await daemon.ready();
    }
    await stage.old.start(config('Beta'));
    return stage;
  }

  radio(mesh: MeshName): VirtualRadio {
    return this.#radios.get(mesh) as VirtualRadio;
  }

  async stop(): Promise<void> {
    await this.old.stop();
    for (const daemon of this.daemons) await daemon.close();
    for (const radio of this.#radios.values()) await radio.close();
    await this.#synapse.stop();
  }

  #config(mesh: MeshName, { meshtastic, matrix, plugins }: MoreConfig): object {
    const { port } = this.radio(mesh);
    return {
      meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port, meshnet_name: mesh, ...meshtastic },
      matrix: { homeserver: this.#synapse.baseUrl, bot_user_id: relayUser(mesh), password: PASSWORD, ...matrix },
      matrix_rooms: [{ id: this.roomId, meshtastic_channel: 0 }],
      ...(plugins === undefined ? {} : { plugins }),
    };
  }
}
