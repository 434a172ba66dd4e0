import type {
  MeshNode,
  MeshPacket,
  OutgoingPacket,
  RadioInfo,
  RadioPort,
  RadioSink,
  RadioState,
} from '../../relay/ports.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { BROADCAST } from '../../util/node-id.ts';
import { errorText, RETRY_LATER, RelayError } from '../../util/relay-error.ts';
import { keyId } from '../codec/channel-key.ts';
import { encodeRouting, encodeUser } from '../codec/device-payloads.ts';
import { Delivery, guarded } from '../delivery.ts';
import { initialLinkState, type LinkEvent, type LinkState, nextLinkState } from '../link-machine.ts';
import { PacketIds } from '../packet-ids.ts';
import { RadioBook } from '../radio-book.ts';
import { type BrokerAddress, type BrokerLink, type ConnectBroker, connectBroker } from './broker-link.ts';
import { MeshTraffic, type Publication } from './mesh-traffic.ts';

const NODEINFO_APP = 4;
const ROUTING_APP = 5;
const NODEINFO_EVERY_MS = 3 * 3_600_000;
/** Asked for our name, we say it at most this often (the firmware's own limit is of this size). */
const NODEINFO_ANSWER_MS = 5 * 60_000;
const HOP_LIMIT = 3;
/** A broker has no transmit queue that fills; this is what a radio with an empty one says. */
const QUEUE = { res: 0, free: 16, maxlen: 16 } as const;

export interface MqttRadioOptions {
  readonly name: string;
  readonly address: BrokerAddress;
  readonly rootTopic: string;
  /** Our own number on that mesh. */
  readonly nodeNum: number;
  readonly longName: string;
  readonly shortName: string;
  /** By channel index; `psk` in base64. */
  readonly channels: readonly { readonly name: string; readonly psk: string }[];
  readonly clock: Clock;
  /** A value in [0, 1): packet ids and jitter. */
  readonly random: () => number;
  readonly logger: Logger;
  /** For tests. */
  readonly connect?: ConnectBroker;
}

/** A node on a broker instead of a device. Nothing happens before `start`. @throws RelayError CONFIG_MQTT_CHANNEL */
export function createMqttRadio(options: MqttRadioOptions): RadioPort {
  return new MqttRadio(options);
}

/**
 * Joins a mesh through a broker as a node of its own. Holds the link, the book of nodes, the retry and announcement
 * timers and the packets that could not be stored. Invariants: at most one link or one retry timer; nothing of others
 * is ever published; no callback after `stop` resolved.
 */
class MqttRadio implements RadioPort {
  readonly name: string;
  readonly #options: MqttRadioOptions;
  readonly #logger: Logger;
  readonly #traffic: MeshTraffic;
  readonly #book = new RadioBook();
  readonly #ids: PacketIds;
  #state: LinkState;
  #sink: RadioSink | null = null;
  #delivery: Delivery | null = null;
  #link: BrokerLink | null = null;
  #abort = new AbortController();
  #connecting: Promise<void> = Promise.resolve();
  #cancelRetry: () => void = () => undefined;
  #cancelNodeInfo: (() => void) | null = null;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #isStopped = false;

  constructor(options: MqttRadioOptions) {
    this.name = options.name;
    this.#options = options;
    this.#logger = options.logger.child('radio', { radio: options.name });
    this.#traffic = new MeshTraffic({ ...options, host: options.address.host });
    this.#ids = new PacketIds(options.random);
    this.#state = initialLinkState(options.clock.now());
    this.#book.apply({ kind: 'my-info', nodeNum: options.nodeNum, bootCount: 0 });
    for (const [index, { name, key }] of this.#traffic.channels.entries()) {
      const role = index === 0 ? 'primary' : 'secondary';
      this.#book.apply({ kind: 'channel', borrowsKey: false, channel: { index, name, role, keyId: keyId(key) } });
    }
  }

  start(sink: RadioSink): void {
    if (this.#sink !== null || this.#isStopped) return;
    this.#sink = sink;
    this.#delivery = new Delivery(sink, this.#logger, (_result, packet) => packet.to === this.#options.nodeNum);
    this.#dispatch({ type: 'start' });
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return;
    this.#isStopped = true;
    this.#cancelRetry();
    this.#cancelNodeInfo?.();
    this.#abort.abort();
    await this.#connecting;
    await this.#link?.close();
    this.#link = null;
    if (this.#delivery?.flush() === false) {
      this.#logger.error('packets of the broker could not be stored before the end', { packets: this.#delivery.held });
    }
    this.#dispatch({ type: 'stop' });
    this.#sink = null;
  }

  state(): RadioState {
    const { status, sinceMs, reason, attempts } = this.#state;
    return { status, sinceMs, reason, attempts };
  }

  info(): RadioInfo | null {
    return this.#book.info();
  }

  nodes(): ReadonlyMap<number, MeshNode> {
    return this.#book.nodes();
  }

  newPacketId(): number {
    return this.#ids.next();
  }

  async send(packet: OutgoingPacket): Promise<void> {
    await this.#publish(this.#traffic.write(packet, this.#now(packet.hopLimit)));
    this.#tell((sink) => sink.onQueueStatus({ ...QUEUE, packetId: packet.id }));
  }

  #now(hopLimit: number | null = null): { hopLimit: number; timeS: number } {
    return { hopLimit: hopLimit ?? HOP_LIMIT, timeS: Math.floor(this.#options.clock.now() / 1000) };
  }

  async #publish({ topic, payload }: Publication): Promise<void> {
    if (this.#link === null || this.#state.status !== 'ready') {
      const why = this.#state.reason ?? this.#state.status;
      throw new RelayError('RADIO_NOT_READY', `radio ${this.name} is not ready: ${why}`, { retry: RETRY_LATER });
    }
    await this.#link.publish(topic, payload);
  }

  #dispatch(event: LinkEvent): void {
    const { clock, random } = this.#options;
    const before = this.#state;
    const context = { nowMs: clock.now(), monotonicMs: clock.monotonic(), random: random() };
    this.#state = nextLinkState(before, event, context);
    const { status, reason, retryInMs, attempts } = this.#state;
    if (this.#state === before) return;
    if (retryInMs !== null) this.#logger.warn('no link to the broker', { reason, attempts, retryInMs });
    else if (status === 'ready') this.#logger.info('broker ready', { topics: this.#traffic.topics() });
    this.#tell((sink) => sink.onState(this.state()));
    if (status === 'connecting') this.#connecting = this.#connect();
    else if (retryInMs !== null && !this.#isStopped) {
      this.#cancelRetry = clock.after(retryInMs, () => this.#dispatch({ type: 'retry' }));
    }
  }

  async #connect(): Promise<void> {
    const { address, nodeNum, connect = connectBroker } = this.#options;
    if (this.#delivery?.flush() === false) {
      this.#lost('refused-by-relay', this.#refusal());
      return;
    }
    try {
      const link = await connect({
        address,
        clientId: `mmrelay-${nodeNum.toString(16)}`,
        topics: this.#traffic.topics(),
        handlers: {
          onMessage: (_topic, payload) => this.#onMessage(payload),
          onClosed: (reason) => {
            this.#link = null;
            this.#lost('failed', reason);
          },
        },
        signal: this.#abort.signal,
      });
      if (this.#state.status !== 'connecting') {
        // Messages came at once and could not be stored: this attempt is over.
        await link.close();
        return;
      }
      this.#link = link;
    } catch (error) {
      this.#lost('failed', errorText(error));
      return;
    }
    if (this.#isStopped) return;
    this.#dispatch({ type: 'opened' });
    const info = this.#book.info();
    if (info !== null) this.#tell((sink) => sink.onInfo(info));
    this.#dispatch({ type: 'configured' });
    this.#announce();
  }

  #lost(kind: 'failed' | 'refused-by-relay', reason: string): void {
    if (!this.#isStopped) this.#dispatch({ type: 'lost', kind, reason, powerSaving: false });
  }

  #onMessage(payload: Uint8Array): void {
    const heard = this.#traffic.read(payload);
    if (heard.kind === 'nothing') {
      this.#logger.debug('a message on the broker is not for us', { why: heard.why });
    } else if (heard.kind === 'own') {
      // The broker gave it out, as a neighbour repeats a broadcast; a direct message waits for its addressee's own word.
      if (heard.to !== BROADCAST) return;
      const result = { packetId: heard.packetId, error: 'NONE', from: this.#options.nodeNum };
      this.#tell((sink) => sink.onRouting(result));
    } else {
      this.#onPacket(heard.packet);
    }
  }

  #onPacket(packet: MeshPacket): void {
    const isStored = this.#delivery?.offer(packet) ?? false;
    const node = this.#book.hear(packet);
    if (node !== null) this.#tell((sink) => sink.onNode(node));
    if (!isStored) {
      const link = this.#link;
      this.#link = null;
      void link?.close();
      this.#lost('refused-by-relay', this.#refusal());
      return;
    }
    if (packet.to !== this.#options.nodeNum) return;
    if (packet.wantAck) this.#say({ portnum: ROUTING_APP, payload: encodeRouting('NONE') }, packet);
    if (packet.portnum === NODEINFO_APP && packet.wantResponse) this.#answerNodeInfo(packet);
  }

  /** Who we are, now and every three hours. */
  #announce(): void {
    const { clock } = this.#options;
    if (this.#cancelNodeInfo !== null) return;
    this.#toldAtMs = clock.monotonic();
    this.#say({ portnum: NODEINFO_APP, payload: this.#user() }, null);
    const again = (): void => {
      this.#cancelNodeInfo = null;
      if (this.#state.status === 'ready') this.#announce();
    };
    this.#cancelNodeInfo = clock.after(NODEINFO_EVERY_MS, again, { background: true });
  }

  #answerNodeInfo(request: MeshPacket): void {
    const nowMs = this.#options.clock.monotonic();
    if (nowMs - this.#toldAtMs < NODEINFO_ANSWER_MS) return;
    this.#toldAtMs = nowMs;
    this.#say({ portnum: NODEINFO_APP, payload: this.#user() }, request);
  }

  #user(): Uint8Array {
    const { nodeNum, longName, shortName } = this.#options;
    // PRIVATE_HW is what software nodes call themselves; muted, since nothing is ever passed on by us.
    const kind = { hwModel: 'PRIVATE_HW', role: 'CLIENT_MUTE', publicKey: null };
    return encodeUser({ num: nodeNum, longName, shortName, ...kind });
  }

  /** A packet of the node itself, which nobody waits for; to the sender of `request`, or to everybody. */
  #say(content: { readonly portnum: number; readonly payload: Uint8Array }, request: MeshPacket | null): void {
    const packet: OutgoingPacket = {
      ...content,
      id: this.newPacketId(),
      to: request?.from ?? BROADCAST,
      channel: request?.channel ?? 0,
      replyId: 0,
      emoji: 0,
      wantAck: false,
      wantResponse: false,
      hopLimit: null,
      publicKey: null,
    };
    const publication = this.#traffic.write(packet, { ...this.#now(), requestId: request?.id ?? 0 });
    this.#publish(publication).catch((error: unknown) =>
      this.#logger.debug('a packet of our own node was not published', { error: errorText(error) }),
    );
  }

  #refusal(): string {
    return `the relay could not store a packet: ${this.#delivery?.lastError ?? ''}`;
  }

  #tell(callback: (sink: RadioSink) => void): void {
    const sink = this.#sink;
    if (sink !== null) guarded(this.#logger, () => callback(sink));
  }
}
