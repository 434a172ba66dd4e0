import { ManualClock } from '../util/manual-clock.ts';
import { nodeId } from '../util/node-id.ts';
import type {
  CommandInfo,
  ConfigSchema,
  DeviceMetrics,
  Json,
  MeshOutput,
  MeshText,
  Need,
  NodeInfo,
  Packet,
  PacketOutput,
  Plugin,
  Position,
  RelayEvent,
  RelayStatus,
  Reply,
  RoomMessage,
  RoomOutput,
} from './api.ts';
import { matchMeshCommand } from './commands/mesh-command.ts';
import { matchRoomCommand } from './commands/room-command.ts';
import type { HostCall, HttpFetch, Job, Manifest } from './protocol.ts';
import { PluginRuntime } from './runtime/runtime.ts';
import { answerStore } from './testing-store.ts';

/** What the plugin finds around it. */
export interface TestWorld {
  /** The plugin's entry of the configuration. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly nodes?: readonly (Partial<NodeInfo> & { readonly num: number })[];
  readonly positions?: Readonly<Record<number, Position>>;
  readonly telemetry?: Readonly<Record<number, DeviceMetrics>>;
  readonly store?: Readonly<Record<string, Json>>;
  readonly status?: RelayStatus;
  readonly commands?: readonly CommandInfo[];
  readonly rooms?: readonly { readonly room: string; readonly radio: string; readonly channel: number }[];
  readonly folder?: string;
  /** Answers of the web: bytes, text, or a value for JSON; throw to be unreachable. */
  readonly http?: (url: URL) => { readonly status?: number; readonly body: Uint8Array | Json };
  readonly units?: 'metric' | 'imperial';
  readonly locale?: string;
  readonly timeZone?: string;
  readonly nowMs?: number;
}

/** What came of one message. */
export interface TestOutcome {
  /** True: the message is the plugin's and is not relayed. */
  readonly handled: boolean;
  readonly replies: readonly Reply[];
  readonly reactions: readonly string[];
}

export const TEST_OWN_NODE = 0xa0000001;
export const TEST_ALICE_NODE = 0x0a11ce01;
const TEST_BOT = '@relay:example.org';

/**
 * One plugin between fakes, run by the same runtime as in the relay: commands are matched, arguments read, the context
 * has declared needs only. Time stands still until `clock.advance`.
 */
class PluginTester {
  readonly clock: ManualClock;
  readonly sent: {
    readonly mesh: MeshOutput[];
    readonly packets: PacketOutput[];
    readonly rooms: RoomOutput[];
    /** Radios let go (for how long) and taken back (null). */
    readonly radios: { readonly radio: string | null; readonly releaseMs: number | null }[];
  };
  readonly log: { readonly level: string; readonly message: string; readonly fields: unknown }[] = [];
  readonly store: Map<string, Json>;
  readonly #world: TestWorld;
  readonly #runtime: PluginRuntime;
  readonly #outcomes = new Map<number, { claimed: boolean; replies: Reply[]; reactions: string[] }>();
  #jobs = 0;

  constructor(plugin: Plugin, world: TestWorld = {}) {
    this.#world = world;
    this.clock = new ManualClock(world.nowMs);
    this.sent = { mesh: [], packets: [], rooms: [], radios: [] };
    this.store = new Map(Object.entries(world.store ?? {}));
    this.#runtime = new PluginRuntime({
      plugin,
      clock: this.clock,
      setup: {
        settings: { active: true, ...world.config },
        locale: world.locale ?? 'en',
        units: world.units ?? 'metric',
        timeZone: world.timeZone ?? 'UTC',
        userAgent: 'mmrelay-test',
      },
      host: (call) => this.#answer(structuredClone(call)),
      fetch: (request) => this.#fetch(request),
    });
  }

  /** What the plugin says of itself, with the warnings about its configuration. */
  get manifest(): Manifest {
    return this.#runtime.manifest;
  }

  start(): Promise<void> {
    return this.#runtime.start();
  }

  stop(): Promise<void> {
    return this.#runtime.stop();
  }

  /** A text from the mesh; resolves when the plugin is done with it. */
  async mesh(text: string, change: Partial<Packet> = {}): Promise<TestOutcome> {
    const message = this.#meshText(text, testPacket({ ...change, payload: new TextEncoder().encode(text) }));
    const { commands, handles } = this.manifest;
    const onMesh = commands.filter(({ on }) => on.includes('mesh'));
    const names = (list: typeof onMesh): string[] => list.flatMap(({ name, aliases }) => [name, ...aliases]);
    const match = matchMeshCommand(text, {
      atStart: names(onMesh.filter(({ anywhere }) => !anywhere)),
      anywhere: names(onMesh.filter(({ anywhere }) => anywhere)),
    });
    if (match !== null) return this.#command(match, { from: { kind: 'mesh', message }, admin: false });
    return handles.meshText ? this.#run({ kind: 'mesh-text', message }) : NOT_HANDLED;
  }

  /** A text from a room; commands need no mention here. */
  async room(text: string, change: Partial<RoomMessage> & { readonly admin?: boolean } = {}): Promise<TestOutcome> {
    const { admin = false, ...fields } = change;
    const message = testRoomMessage({ text, timestampMs: this.clock.now(), ...fields });
    const { commands, handles } = this.manifest;
    const names = commands.filter(({ on }) => on.includes('room')).flatMap(({ name, aliases }) => [name, ...aliases]);
    const bot = { userId: TEST_BOT, displayName: 'Relay' };
    const match = matchRoomCommand({ body: text, formattedBody: null }, names, { bot, mentionRequired: false });
    if (match !== null) return this.#command(match, { from: { kind: 'room', message }, admin });
    return handles.roomMessage ? this.#run({ kind: 'room-message', message }) : NOT_HANDLED;
  }

  /** Any packet, for `onMeshPacket`. */
  async packet(change: Partial<Packet> = {}): Promise<void> {
    await this.#run({ kind: 'packet', packet: testPacket(change) });
  }

  /** What another relay put into the room, for `onRelayEvent`. */
  async relayEvent(change: Partial<RelayEvent>): Promise<void> {
    await this.#run({ kind: 'relay-event', event: testRelayEvent({ timestampMs: this.clock.now(), ...change }) });
  }

  /** Runs a scheduled job now. */
  async job(name: string): Promise<void> {
    const index = this.manifest.schedule.findIndex((job) => job.name === name);
    if (index === -1) throw new Error(`The plugin has no job called ${name}`);
    await this.#run({ kind: 'schedule', index });
  }

  #command(
    match: { readonly name: string; readonly typed: string; readonly args: string },
    origin: Pick<Extract<Job, { kind: 'command' }>['call'], 'from' | 'admin'>,
  ): Promise<TestOutcome> {
    const { commands } = this.manifest;
    const command = commands.find(({ name, aliases }) => name === match.name || aliases.includes(match.name));
    const name = command?.name ?? match.name;
    return this.#run({ kind: 'command', call: { name, typed: match.typed, argText: match.args, ...origin } });
  }

  async #run(job: Job): Promise<TestOutcome> {
    this.#jobs += 1;
    const outcome = { claimed: false, replies: [], reactions: [] };
    this.#outcomes.set(this.#jobs, outcome);
    const handled = await this.#runtime.run(this.#jobs, structuredClone(job));
    return { handled: handled || outcome.claimed, replies: outcome.replies, reactions: outcome.reactions };
  }

  #meshText(text: string, packet: Packet): MeshText {
    const known = this.#nodes().find(({ num }) => num === packet.from);
    const longName = known?.longName ?? packet.fromId;
    const author = { num: packet.from, id: packet.fromId, longName, shortName: known?.shortName ?? 'ce01' };
    return { text, author, meshnet: 'Home', formatted: `[${longName}/Home]: ${text}`, packet };
  }

  #nodes(): NodeInfo[] {
    return (this.#world.nodes ?? []).map((node) => ({
      radio: 'default',
      id: nodeId(node.num),
      longName: null,
      shortName: null,
      hwModel: null,
      role: null,
      lastHeardS: 0,
      snr: null,
      hopsAway: null,
      viaMqtt: false,
      own: node.num === TEST_OWN_NODE,
      ...node,
    }));
  }

  #find(which: number | string): NodeInfo | null {
    const wanted = String(which).toLowerCase();
    const named = ({ num, id, longName, shortName }: NodeInfo): boolean =>
      num === which || [id, longName?.toLowerCase(), shortName?.toLowerCase()].includes(wanted);
    return this.#nodes().find(named) ?? null;
  }

  async #answer(call: HostCall): Promise<unknown> {
    switch (call.op) {
      case 'reply':
        return this.#outcomes.get(call.job)?.replies.push(call.reply);
      case 'react':
        return this.#outcomes.get(call.job)?.reactions.push(call.emoji);
      case 'claim':
        return this.#claim(call.job);
      case 'sendMesh':
        return this.sent.mesh.push(call.output);
      case 'sendPacket':
        return this.sent.packets.push(call.output);
      case 'sendRoom':
        return this.sent.rooms.push(call.output);
      case 'log':
        return this.log.push({ level: call.level, message: call.message, fields: call.fields });
      default:
        return this.#lookUp(call);
    }
  }

  #claim(job: number): void {
    const outcome = this.#outcomes.get(job);
    if (outcome !== undefined) outcome.claimed = true;
  }

  #lookUp(call: HostCall): unknown {
    const { positions = {}, telemetry = {} } = this.#world;
    const byNumber = <T>(record: Readonly<Record<number, T>>): Map<number, T> =>
      new Map(Object.entries(record).map(([num, value]) => [Number(num), value]));
    switch (call.op) {
      case 'resolveNode':
        return this.#find(call.which)?.num ?? null;
      case 'nodes.list':
        return this.#nodes();
      case 'nodes.find':
        return this.#find(call.which);
      case 'nodes.own':
        return TEST_OWN_NODE;
      case 'positions.all':
        return byNumber(positions);
      case 'positions.of':
        return positions[call.num] ?? null;
      case 'telemetry.all':
        return byNumber(telemetry);
      default:
        return this.#lookUpMore(call);
    }
  }

  #lookUpMore(call: HostCall): unknown {
    const { status, commands, rooms, folder } = this.#world;
    switch (call.op) {
      case 'files.folder':
        return given(folder, 'folder');
      case 'status.get':
        return given(status, 'status');
      case 'radios.release':
      case 'radios.claim':
        return this.#radio(call.radio, 'forMs' in call ? call.forMs : null);
      case 'plugins.commands':
        return commands ?? [];
      case 'rooms.list':
        return rooms ?? [{ room: '!room:example.org', radio: 'default', channel: 0 }];
      default:
        return answerStore(this.store, call);
    }
  }

  #radio(radio: string | null, releaseMs: number | null): unknown {
    this.sent.radios.push({ radio, releaseMs });
    return { radio: radio ?? 'default', untilMs: this.clock.now() + (releaseMs ?? 0) };
  }

  async #fetch({ url }: Parameters<HttpFetch>[0]): Promise<Awaited<ReturnType<HttpFetch>>> {
    const { http } = this.#world;
    if (http === undefined) throw new Error('The test world has no http');
    const { status = 200, body } = http(new URL(url));
    const bytes =
      body instanceof Uint8Array
        ? body
        : new TextEncoder().encode(typeof body === 'string' ? body : JSON.stringify(body));
    return { status, headers: {}, body: bytes };
  }
}

const NOT_HANDLED: TestOutcome = { handled: false, replies: [], reactions: [] };

function given<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`The test world has no ${name}`);
  return value;
}

/** A broadcast text packet of a node called Alice, on channel 0. */
function testPacket(change: Partial<Packet>): Packet {
  const from = change.from ?? TEST_ALICE_NODE;
  const hopStart = change.hopStart ?? 3;
  const hopLimit = change.hopLimit ?? 3;
  return {
    radio: 'default',
    from,
    fromId: nodeId(from),
    to: change.direct === true ? TEST_OWN_NODE : 0xffffffff,
    id: 4711,
    channel: 0,
    portnum: 1,
    portName: 'TEXT_MESSAGE_APP',
    payload: new Uint8Array(),
    encrypted: false,
    replyId: 0,
    emoji: 0,
    requestId: 0,
    wantResponse: false,
    hopLimit,
    hopStart,
    hops: hopStart === 0 ? null : hopStart - hopLimit,
    rxTimeS: 1_750_000_000,
    rxSnr: 5,
    rxRssi: -80,
    viaMqtt: false,
    direct: change.to === TEST_OWN_NODE,
    decoded: null,
    ...change,
  };
}

function testRoomMessage(change: Partial<RoomMessage> & { readonly text: string }): RoomMessage {
  return {
    room: '!room:example.org',
    roomId: '!room:example.org',
    eventId: '$event',
    sender: '@alice:example.org',
    senderName: 'Alice',
    msgtype: 'm.text',
    replyTo: null,
    timestampMs: 0,
    radio: 'default',
    channel: 0,
    encrypted: false,
    ...change,
  };
}

function testRelayEvent(change: Partial<RelayEvent>): RelayEvent {
  return {
    room: '!room:example.org',
    eventId: '$relayed',
    sender: '@relay:other.example.org',
    timestampMs: 0,
    radio: 'default',
    channel: 0,
    encrypted: false,
    content: { msgtype: 'm.text', body: '', mmrelay_suppress: true },
    ...change,
  };
}

/** A tester for a plugin of any configuration and needs. */
export function testPlugin<S extends ConfigSchema, N extends Need>(
  plugin: Plugin<S, N>,
  world: TestWorld = {},
): PluginTester {
  // The runtime gives every plugin what it declared; the general type cannot say so.
  return new PluginTester(plugin as unknown as Plugin, world);
}

/** What a test of a plugin is given by `mmrelay plugins test`. */
export interface PluginTestTools {
  /** The plugin of this folder in a world of the test's making. */
  open(world?: TestWorld): PluginTester;
  /** Fails unless both are deeply equal. */
  equal(actual: unknown, expected: unknown): void;
  ok(value: unknown): void;
}

/** The default export of a `*.test.ts` beside a plugin: tests by name. */
export type PluginTests = Readonly<Record<string, (tools: PluginTestTools) => Promise<void> | void>>;
