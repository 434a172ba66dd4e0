import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { Person } from '../../support/person.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import { type ChaosHomeserver, signInRelay } from './chaos-homeserver.ts';
import { Ledger } from './ledger.ts';
import { RelayProcess } from './relay-process.ts';

/** A room on a channel, with somebody in it. */
export interface StageRoom {
  readonly channel: number;
  readonly roomId: string;
  readonly person: Person;
}

/** Radio, homeserver, people and the relay's home; the relay itself is not started yet. */
export interface Stage {
  readonly radio: VirtualRadio;
  readonly rooms: readonly StageRoom[];
  readonly relay: RelayProcess;
  readonly botId: string;
  readonly ledger: Ledger;
  readonly configText: string;
  readonly home: string;
  close(): Promise<void>;
}

export interface StageOptions {
  readonly homeserver: ChaosHomeserver;
  readonly factor: number;
  readonly originMs: number;
  readonly random: () => number;
}

export const NODES = [
  { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' },
  { num: 0x0b0bca02, longName: 'Bob', shortName: 'BOB' },
] as const;
const CHANNELS = [0, 1];

/** Builds the stage: two rooms on two channels, a person in each, two nodes on the mesh. */
export async function buildStage({ homeserver, factor, originMs, random }: StageOptions): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-chaos-'));
  const ledger = new Ledger();
  const radio = await createVirtualRadio({
    clock: scaledClock(factor, originMs),
    random,
    region: 'US',
    modemPreset: 'SHORT_TURBO',
    nodes: NODES,
    channels: [
      { name: '', role: 'primary', psk: Uint8Array.of(1) },
      { name: 'Second', role: 'secondary', psk: new Uint8Array(16).fill(7) },
    ],
    onHandedOver: (packet, connection) => ledger.handedOver(packet, connection),
  });
  const bot = await homeserver.registerUser('relay');
  signInRelay(home, homeserver.relayUrl, bot);
  const rooms = await Promise.all(CHANNELS.map((channel) => makeRoom(homeserver, channel)));
  const configText = relayConfig({ port: radio.port, homeserver: homeserver.relayUrl, botId: bot.userId, rooms });
  const relay = new RelayProcess({ home, configText, factor, originMs, logLevel: 'info' });
  return {
    radio,
    rooms,
    relay,
    botId: bot.userId,
    ledger,
    configText,
    home,
    close: async () => {
      await relay.kill();
      await radio.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

async function makeRoom(homeserver: ChaosHomeserver, channel: number): Promise<StageRoom> {
  const user = await homeserver.registerUser(`person${channel}`);
  const person = new Person({ ...user, baseUrl: homeserver.peopleUrl });
  return { channel, person, roomId: await person.createRoom(`Room ${channel}`) };
}

function relayConfig(on: {
  readonly port: number;
  readonly homeserver: string;
  readonly botId: string;
  readonly rooms: readonly StageRoom[];
}): string {
  return JSON.stringify({
    meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: on.port, meshnet_name: 'Chaos' },
    matrix: { homeserver: on.homeserver, bot_user_id: on.botId },
    matrix_rooms: on.rooms.map(({ roomId, channel }) => ({ id: roomId, meshtastic_channel: channel })),
    relay: { user_rate_limit: { burst: 100_000, per_minute: 100_000 } },
    logging: { log_to_file: false },
  });
}
