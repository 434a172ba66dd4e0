import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { DeviceMetricsInfo, PositionInfo } from '../../src/radio/codec/device-node.ts';
import { type DevicePacket, devicePacket } from '../../src/radio/codec/device-packet.ts';
import { encodePosition, encodeRouting, encodeTelemetry, encodeUser } from '../../src/radio/codec/device-payloads.ts';
import { Maintenance } from '../../src/relay/maintenance.ts';
import type { RelaySettings } from '../../src/relay/settings.ts';
import { openStore } from '../../src/store/open-store.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';
import { PORTS, portNumber } from '../../src/util/portnums.ts';
import { seededRandom } from '../chaos/support/random.ts';
import type { Measure } from './measures.ts';
import { processStats, quantile } from './process-stats.ts';
import { buildRig, QUEUE_ROOM, type Rig, type RigOptions, until } from './rig.ts';

const STEPS = 20;
const TEXT_PORT = 1;
/** One packet of so many is a text; the others take the ports in turn. */
const TEXT_EVERY = 4;
const NODES = 400;
const FIRST_NODE = 0x50a00000;
const PROBES = 50;
const PROBE_PAUSE_MS = 20;
const PERSON_PAUSE_MS = 2_500;
const MAX_PAYLOAD_BYTES = 200;
const OTHER_PORTS = PORTS.map((name) => portNumber(name) ?? 0).filter((port) => port !== TEXT_PORT);
/** Longer than anything but message links is kept; those by their number. */
const FORGOTTEN_AFTER_MS = 100 * 24 * 3_600_000;
const PLUGINS = ['ping', 'telemetry', 'health', 'nodes', 'map', 'help'];

/** What one step of the soak left behind. */
interface Sample {
  readonly packets: number;
  readonly rssMb: number;
  readonly handles: number;
  readonly threads: number;
  readonly databaseMb: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * A long run: packets of every port from hundreds of nodes, a quarter of them texts, and a person who answers all the
 * time. What must stay flat is measured at every twentieth of the way; at the end all texts are counted.
 */
export async function measureSoak(options: RigOptions, packets: number): Promise<readonly Measure[]> {
  const plugins = Object.fromEntries(PLUGINS.map((name) => [name, { active: true }]));
  const rig = await buildRig({ ...options, config: { plugins } });
  const talk = new SoakTalk(rig);
  try {
    rig.daemon.start();
    await rig.daemon.ready();
    await delay(5_000);
    const samples = [await sample(rig, talk)];
    const answering = talk.person();
    const step = Math.ceil(packets / STEPS);
    while (talk.packets < packets) {
      await talk.mesh(Math.min(step, packets - talk.packets));
      samples.push(await sample(rig, talk));
      process.stderr.write(`  ${JSON.stringify(samples.at(-1))}\n`);
    }
    talk.over = true;
    await answering;
    await until(() => rig.radio.mesh.heard.length >= talk.answers.length, 60_000, 'the last answer on air');
    await rig.daemon.end('SIGTERM');
    const left = {
      name: 'soak: database once all that is forgotten',
      value: await forgottenMb(rig.daemon.home),
      unit: 'MB',
    };
    return [...lines(samples, packets), left, ...verdict(rig, talk)];
  } finally {
    await rig.close();
  }
}

/** The texts of the mesh in the room; looks at each event once. One per soak. */
class RoomReader {
  readonly #rig: Rig;
  readonly #bodies: string[] = [];
  #seen = 0;

  constructor(rig: Rig) {
    this.#rig = rig;
  }

  bodies(): readonly string[] {
    const { homeserver, roomId, botId } = this.#rig;
    const events = homeserver.timeline(roomId);
    for (; this.#seen < events.length; this.#seen += 1) {
      const event = events[this.#seen];
      const body = event?.sender === botId ? /\bsoak-\d+/.exec(String(event.content.body))?.[0] : undefined;
      if (body !== undefined) this.#bodies.push(body);
    }
    return this.#bodies;
  }
}

/** Both ways, with what was said. One per soak. */
class SoakTalk {
  packets = 0;
  over = false;
  /** Bodies, in order. */
  readonly texts: string[] = [];
  readonly answers: string[] = [];
  readonly reader: RoomReader;
  #lastId = 0;
  readonly #rig: Rig;
  readonly #random = seededRandom(20_261_121);

  constructor(rig: Rig) {
    this.#rig = rig;
    this.reader = new RoomReader(rig);
  }

  async mesh(count: number): Promise<void> {
    const { radio } = this.#rig;
    for (let n = 0; n < count; n += 1) {
      while (radio.waitingPackets >= QUEUE_ROOM || !radio.connected) await delay(1);
      this.packets += 1;
      if (this.packets % TEXT_EVERY === 0) this.text();
      else radio.injectPacket(this.#packet());
      if (n % 16 === 15) await delay(0);
    }
    await this.arrived();
  }

  /** The newest text is in the room. */
  async arrived(): Promise<void> {
    const last = this.texts.at(-1);
    await until(() => this.reader.bodies().at(-1) === last, 600_000, `the text ${last}`);
  }

  /** The radio hears a text of some node. */
  text(): void {
    const body = `soak-${this.texts.length}`;
    this.texts.push(body);
    this.#rig.radio.injectPacket(
      this.#from(TEXT_PORT, new TextEncoder().encode(`${body} ${'ü'.repeat(this.#below(60))}`)),
    );
  }

  async person(): Promise<void> {
    const { person, roomId } = this.#rig;
    while (!this.over) {
      const body = `answer-${this.answers.length}`;
      await person.say(roomId, body);
      this.answers.push(body);
      await delay(PERSON_PAUSE_MS);
    }
  }

  #packet(): DevicePacket {
    const port = OTHER_PORTS[this.packets % OTHER_PORTS.length] ?? 0;
    return this.#from(port, payloadOf(port, this.#random) ?? this.#bytes());
  }

  #from(portnum: number, payload: Uint8Array): DevicePacket {
    const from = FIRST_NODE + this.#below(NODES);
    this.#lastId += 1;
    return devicePacket({ from, id: this.#lastId, portnum, payload, hopLimit: 3, hopStart: 3, rxSnr: 6, rxRssi: -80 });
  }

  #bytes(): Uint8Array {
    return Uint8Array.from({ length: 1 + this.#below(MAX_PAYLOAD_BYTES) }, () => this.#below(256));
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }
}

/** What a node would really send on this port; null where any bytes will do. */
function payloadOf(port: number, random: () => number): Uint8Array | null {
  const num = FIRST_NODE + Math.floor(random() * NODES);
  const position: PositionInfo = {
    latitude: 48 + random(),
    longitude: 11 + random(),
    altitudeM: 500,
    timeS: 1_760_000_000,
  };
  const metrics: DeviceMetricsInfo = {
    batteryLevel: Math.floor(random() * 100),
    voltage: 3.7,
    channelUtilization: 1,
    airUtilTx: 1,
    uptimeS: 1,
  };
  const user = { num, longName: `Node ${num}`, shortName: 'N', hwModel: 'TBEAM', role: 'CLIENT', publicKey: null };
  const makers: Readonly<Record<string, () => Uint8Array>> = {
    POSITION_APP: () => encodePosition(position),
    NODEINFO_APP: () => encodeUser(user),
    ROUTING_APP: () => encodeRouting('NONE'),
    TELEMETRY_APP: () => encodeTelemetry(metrics, 1_760_000_000),
  };
  return Object.entries(makers).find(([name]) => portNumber(name) === port)?.[1]() ?? null;
}

async function sample(rig: Rig, talk: SoakTalk): Promise<Sample> {
  const times: number[] = [];
  for (let n = 0; n < PROBES; n += 1) {
    const saidMs = performance.now();
    talk.text();
    await talk.arrived();
    times.push(performance.now() - saidMs);
    await delay(PROBE_PAUSE_MS);
  }
  const { pid, home } = rig.daemon;
  return {
    packets: talk.packets,
    rssMb: processStats(pid).rssMb,
    handles: readdirSync(`/proc/${pid}/fd`).length,
    threads: readdirSync(`/proc/${pid}/task`).length,
    databaseMb: databaseBytes(home) / 2 ** 20,
    p50Ms: quantile(times, 0.5),
    p99Ms: quantile(times, 0.99),
  };
}

/** The file and its WAL. */
function databaseBytes(home: string): number {
  const folder = join(home, 'database');
  return readdirSync(folder).reduce((bytes, name) => bytes + statSync(join(folder, name)).size, 0);
}

/** What the week's forgetting leaves of the database, the daemon being down. */
async function forgottenMb(home: string): Promise<number> {
  const clock = new ManualClock(Date.now() + FORGOTTEN_AFTER_MS);
  const store = openStore({ path: join(home, 'database', 'meshtastic.sqlite'), logger: silentLogger, clock });
  try {
    const settings = { keepLinks: 500 } as RelaySettings;
    const maintenance = new Maintenance({
      store,
      settings,
      clock,
      logger: silentLogger,
      expireOrphans: () => undefined,
    });
    maintenance.start();
    await clock.advance(60_000);
    maintenance.stop();
    const { fileBytes, freeBytes } = store.size();
    return (fileBytes - freeBytes) / 2 ** 20;
  } finally {
    store.close();
  }
}

function lines(samples: readonly Sample[], packets: number): readonly Measure[] {
  const [start, ...rest] = samples;
  const half = Math.floor(rest.length / 2);
  const growth = (value: (sample: Sample) => number): number =>
    quantile(rest.slice(half).map(value), 0.5) - quantile(rest.slice(0, half).map(value), 0.5);
  const last = rest.at(-1);
  const rssGrowth = growth(({ rssMb }) => rssMb);
  const handles = Math.max(...rest.map((sample) => sample.handles)) - (start?.handles ?? 0);
  const slower = growth(({ p50Ms }) => p50Ms);
  const perPacket = (((last?.databaseMb ?? 0) - (start?.databaseMb ?? 0)) * 2 ** 20) / packets;
  return [
    { name: `soak: resident after ${packets} packets`, value: last?.rssMb ?? 0, unit: 'MB' },
    { name: 'soak: resident, most', value: Math.max(...rest.map(({ rssMb }) => rssMb)), unit: 'MB' },
    { name: 'soak: growth, second half against first', value: rssGrowth, unit: 'MB', goal: '< 5', met: rssGrowth < 5 },
    { name: 'soak: open handles more than at the start', value: handles, unit: '', goal: '<= 2', met: handles <= 2 },
    { name: 'soak: threads at the end', value: last?.threads ?? 0, unit: '' },
    { name: 'soak: mesh to Matrix, p50, first step', value: rest[0]?.p50Ms ?? 0, unit: 'ms' },
    { name: 'soak: mesh to Matrix, p50, last step', value: last?.p50Ms ?? 0, unit: 'ms' },
    { name: 'soak: p50, second half against first', value: slower, unit: 'ms', goal: '< 5', met: slower < 5 },
    { name: 'soak: database at the end', value: last?.databaseMb ?? 0, unit: 'MB' },
    { name: 'soak: database per packet', value: perPacket, unit: 'B' },
  ];
}

function verdict({ radio }: Rig, { texts, answers, reader }: SoakTalk): readonly Measure[] {
  const heard = radio.mesh.heard.map(
    ({ packet }) => /\banswer-\d+/.exec(new TextDecoder().decode(packet.payload))?.[0],
  );
  return [
    wrong(`soak: of ${texts.length} texts lost, doubled or out of order`, texts, reader.bodies()),
    wrong(`soak: of ${answers.length} answers lost, doubled or out of order`, answers, heard),
  ];
}

function wrong(name: string, said: readonly string[], heard: readonly (string | undefined)[]): Measure {
  const value = said.filter((body, index) => heard[index] !== body).length + Math.max(0, heard.length - said.length);
  return { name, value, unit: '', goal: '0', met: value === 0 };
}
