import type {
  MeshPacket,
  OutgoingPacket,
  RadioInfo,
  RadioPort,
  RadioSink,
  RadioState,
} from '../../../src/relay/ports.ts';
import type { ManualClock } from '../../../src/util/manual-clock.ts';
import { RETRY_LATER, RelayError } from '../../../src/util/relay-error.ts';
import { RADIO_INFO } from '../../support/relay-fixture.ts';
import { Killed, type Life } from './life.ts';

const TEXT_GAP_MS = 2_000;
const RECENT_IDS = 20;
const TX_QUEUE = 3;
const PHONE_QUEUE = 32;
const QUEUE_FULL = 32;

export interface SimRadioOptions {
  readonly name: string;
  readonly nodeNum: number;
  readonly clock: ManualClock;
  readonly random: () => number;
  /** Serial and Bluetooth: what the firmware remembers of its client outlives the connection. */
  readonly lasting: boolean;
  /** On air, once per packet id, as the nodes' own filter has it. */
  readonly onAir: (packet: OutgoingPacket) => void;
  /** Not taken, and its id noted. */
  readonly onRefused: (packet: OutgoingPacket) => void;
  /** A packet of the mesh that no relay will ever get. */
  readonly onLost: (packet: MeshPacket) => void;
}

type Frame = (sink: RadioSink) => void;

/** A device with the firmware's rules, whose every step takes a random while. Outlives the relays that talk to it. */
export class SimRadio {
  readonly #options: SimRadioOptions;
  #client: SimPort | null = null;
  #phone: MeshPacket[] = [];
  /** Queue statuses are for the client of the moment; routing answers wait for the next one. */
  #statuses: Frame[] = [];
  #answers: Frame[] = [];
  #recentIds: number[] = [];
  #lastTextMs = Number.NEGATIVE_INFINITY;
  #onAir: OutgoingPacket[] = [];
  #reachable = true;
  #boots = 1;
  #pumping = false;
  /** Answers of the firmware that it gives at random: it has a share of each hundred packets. */
  trouble = 0;

  constructor(options: SimRadioOptions) {
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get info(): RadioInfo {
    return { ...RADIO_INFO, nodeNum: this.#options.nodeNum, bootCount: this.#boots };
  }

  get waiting(): number {
    return this.#phone.length;
  }

  get room(): number {
    return PHONE_QUEUE - this.#phone.length;
  }

  /** The port through which one life of the relay sees this device. */
  port(life: Life): SimPort {
    return new SimPort(this, life, this.#options);
  }

  hear(packet: MeshPacket): void {
    this.#phone.push(packet);
    this.#pump();
  }

  /** The link is gone, and does not come back before `reach`. */
  cut(): void {
    this.#reachable = false;
    this.#client?.lose();
    this.#client = null;
  }

  reach(): void {
    this.#reachable = true;
  }

  isReachable(): boolean {
    return this.#reachable;
  }

  /** Loses what RAM holds. */
  reboot(): void {
    this.#boots += 1;
    for (const packet of this.#phone) this.#options.onLost(packet);
    this.#phone = [];
    this.#answers = [];
    this.#onAir = [];
    this.#forgetClient();
    this.#client?.lose();
    this.#client = null;
  }

  attach(client: SimPort): void {
    if (!this.#options.lasting) this.#forgetClient();
    this.#statuses = [];
    this.#client?.lose();
    this.#client = client;
    this.#pump();
  }

  take(packet: OutgoingPacket, client: SimPort): void {
    if (client !== this.#client) return;
    const { clock, random } = this.#options;
    if (this.#recentIds.includes(packet.id)) return;
    this.#recentIds = [...this.#recentIds, packet.id].slice(-RECENT_IDS);
    const isText = packet.portnum === 1;
    if (isText && clock.monotonic() - this.#lastTextMs < TEXT_GAP_MS) {
      this.#options.onRefused(packet);
      this.#status(packet.id, 0);
      this.#routing(packet.id, 'RATE_LIMIT_EXCEEDED');
      return;
    }
    if (isText) this.#lastTextMs = clock.monotonic();
    if (random() < this.trouble || this.#onAir.length >= TX_QUEUE) {
      this.#options.onRefused(packet);
      if (random() < 0.5) this.#status(packet.id, QUEUE_FULL);
      else {
        this.#routing(packet.id, random() < 0.5 ? 'DUTY_CYCLE_LIMIT' : 'NO_INTERFACE');
        this.#status(packet.id, 9);
      }
      return;
    }
    this.#onAir.push(packet);
    this.#status(packet.id, 0);
    if (this.#onAir.length === 1) this.#transmitLater();
  }

  /** One after the other. */
  #transmitLater(): void {
    const { clock, random, onAir } = this.#options;
    const packet = this.#onAir[0];
    if (packet === undefined) return;
    clock.after(300 + random() * 2_500, () => {
      if (this.#onAir[0] !== packet) return;
      this.#onAir.shift();
      onAir(packet);
      if (random() < 0.9) this.#routing(packet.id, random() < 0.2 ? 'MAX_RETRANSMIT' : 'NONE');
      this.#transmitLater();
    });
  }

  #forgetClient(): void {
    this.#recentIds = [];
    this.#lastTextMs = Number.NEGATIVE_INFINITY;
  }

  #status(packetId: number, res: number): void {
    const status = { res, free: TX_QUEUE - this.#onAir.length, maxlen: TX_QUEUE, packetId };
    this.#statuses.push((sink) => sink.onQueueStatus(status));
    this.#pump();
  }

  #routing(packetId: number, error: string): void {
    this.#answers.push((sink) => sink.onRouting({ packetId, error, from: this.#options.nodeNum }));
    this.#pump();
  }

  /** One read of the client after the other, some at once, some after a while. */
  #pump(): void {
    if (this.#pumping || this.#client === null) return;
    this.#pumping = true;
    const { clock, random } = this.#options;
    clock.after(random() < 0.5 ? 0 : random() * 400, () => {
      this.#pumping = false;
      this.#read();
    });
  }

  #read(): void {
    const client = this.#client;
    if (client === null) return;
    for (let frames = 1 + Math.floor(this.#options.random() * 4); frames > 0; frames -= 1) {
      const word = this.#statuses.shift() ?? this.#answers.shift();
      if (word !== undefined) client.hear(word);
      else if (!this.#handOver(client)) break;
      if (this.#client !== client) return;
    }
    if (this.#statuses.length + this.#answers.length + this.#phone.length > 0) this.#pump();
  }

  /** False when there is nothing to hand over, or the relay could not store it: then it keeps it, and drops the link. */
  #handOver(client: SimPort): boolean {
    const packet = this.#phone.shift();
    if (packet === undefined) return false;
    try {
      client.sink.onPacket(packet);
      return true;
    } catch (error) {
      // Whether it was stored, only the store can say: it may arrive, once.
      if (error instanceof Killed) this.#options.onLost(packet);
      else this.#phone.unshift(packet);
      client.lose();
      this.#client = null;
      return false;
    }
  }
}

/** The adapter of one life: connects itself, and again when it lost the link. */
export class SimPort implements RadioPort {
  readonly #radio: SimRadio;
  readonly #life: Life;
  readonly #options: SimRadioOptions;
  #sink: RadioSink | null = null;
  #ready = false;
  #known = false;

  constructor(radio: SimRadio, life: Life, options: SimRadioOptions) {
    this.#radio = radio;
    this.#life = life;
    this.#options = options;
  }

  get name(): string {
    return this.#options.name;
  }

  get sink(): RadioSink {
    if (this.#sink === null) throw new Error('not started');
    return this.#sink;
  }

  start(sink: RadioSink): void {
    this.#sink = sink;
    this.#connectLater();
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  state(): RadioState {
    const reason = this.#ready ? null : 'cut';
    return { status: this.#ready ? 'ready' : 'backing-off', sinceMs: 0, reason, attempts: 0 };
  }

  info(): RadioInfo | null {
    return this.#known ? this.#radio.info : null;
  }

  nodes(): ReturnType<RadioPort['nodes']> {
    return new Map();
  }

  lastHeardMs(): number {
    return this.#ready ? Number.POSITIVE_INFINITY : 0;
  }

  newPacketId(): number {
    return 1 + Math.floor(this.#options.random() * 0xfffffffe);
  }

  send(packet: OutgoingPacket): Promise<void> {
    this.#life.check();
    if (!this.#ready) return Promise.reject(new RelayError('RADIO_NOT_READY', 'not ready', { retry: RETRY_LATER }));
    const { clock, random } = this.#options;
    clock.after(random() * 50, () => this.#radio.take(packet, this));
    return Promise.resolve();
  }

  /** Something the device says. */
  hear(frame: Frame): void {
    this.#guard(() => frame(this.sink));
  }

  lose(): void {
    if (!this.#ready) return;
    this.#ready = false;
    this.#guard(() => this.sink.onState(this.state()));
    this.#connectLater();
  }

  #connectLater(): void {
    const { clock, random } = this.#options;
    clock.after(200 + random() * 4_000, () => {
      if (this.#life.dead) return;
      if (!this.#radio.isReachable()) {
        this.#connectLater();
        return;
      }
      this.#ready = true;
      this.#known = true;
      this.#guard(() => this.sink.onInfo(this.#radio.info));
      this.#guard(() => this.sink.onState(this.state()));
      this.#radio.attach(this);
    });
  }

  /** As the adapter does it: a callback that fails is no reason to stop reading. */
  #guard(callback: () => void): void {
    if (this.#life.dead) return;
    try {
      callback();
    } catch (error) {
      if (!(error instanceof Killed) && !(error instanceof RelayError)) throw error;
    }
  }
}
