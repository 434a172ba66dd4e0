import type {
  GuestPacket,
  MeshNode,
  MeshPacket,
  OutgoingPacket,
  RadioInfo,
  RadioSink,
  RadioState,
} from '../relay/ports.ts';
import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText, RETRY_LATER, RelayError } from '../util/relay-error.ts';
import type { FromRadioMessage } from './codec/from-radio.ts';
import { encodePacket, NONCE_CONFIG_ONLY } from './codec/to-radio.ts';
import { Delivery, guarded } from './delivery.ts';
import { initialLinkState, type LinkEvent, type LinkState, nextLinkState } from './link-machine.ts';
import type { HeartbeatHabit } from './liveness.ts';
import { PacketIds } from './packet-ids.ts';
import { RadioBook } from './radio-book.ts';
import type { RadioTap, SharedRadio } from './radio-tap.ts';
import { type Loss, Session } from './session.ts';
import { type RadioConnect, transportFactory } from './transport/factory.ts';
import type { TransportFactory } from './transport/types.ts';

export interface RadioOptions {
  readonly name: string;
  readonly connect: RadioConnect;
  readonly clock: Clock;
  /** A value in [0, 1): packet ids and jitter. */
  readonly random: () => number;
  readonly logger: Logger;
}

/** A radio that connects itself and stays connected. Nothing happens before `start`. */
export function createRadio(options: RadioOptions): SharedRadio {
  return new Radio(options);
}

/**
 * Drives the link machine of one radio. Holds the present session, the retry timer, the book and the packets that
 * could not be stored. Invariants: at most one session or one retry timer; a session opens when the one before it has
 * let go of the radio; no callback after `stop` resolved.
 */
class Radio implements SharedRadio {
  readonly name: string;
  readonly #options: RadioOptions;
  readonly #logger: Logger;
  readonly #transports: TransportFactory;
  readonly #book = new RadioBook();
  readonly #ids: PacketIds;
  readonly #taps = new Set<RadioTap>();
  readonly #habit: HeartbeatHabit = { heartbeats: 'unknown' };
  #link: LinkState;
  #sink: RadioSink | null = null;
  #delivery: Delivery | null = null;
  #session: Session | null = null;
  /** The session before has let go of the radio: over Bluetooth that takes seconds. */
  #free: Promise<void> = Promise.resolve();
  #cancelRetry: (() => void) | null = null;
  #isConfigKnown = false;
  #lastHeardMs = 0;
  #stopping: Promise<void> | null = null;

  constructor(options: RadioOptions) {
    this.name = options.name;
    this.#options = options;
    this.#logger = options.logger.child('radio', { radio: options.name });
    this.#transports = transportFactory(options.connect, options.clock);
    this.#ids = new PacketIds(options.random);
    this.#link = initialLinkState(options.clock.now());
  }

  start(sink: RadioSink): void {
    if (this.#sink !== null || this.#stopping !== null) return;
    this.#sink = sink;
    this.#delivery = new Delivery(sink, this.#logger, (_result, packet) => {
      const own = this.#book.nodeNum;
      return own === null || packet.to === own;
    });
    this.#dispatch({ type: 'start' });
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  state(): RadioState {
    const { status, sinceMs, reason, attempts } = this.#link;
    return { status, sinceMs, reason, attempts };
  }

  info(): RadioInfo | null {
    return this.#isConfigKnown ? this.#book.info() : null;
  }

  nodes(): ReadonlyMap<number, MeshNode> {
    return this.#book.nodes();
  }

  lastHeardMs(): number {
    return this.#lastHeardMs;
  }

  newPacketId(): number {
    return this.#ids.next();
  }

  async send(packet: OutgoingPacket): Promise<void> {
    const bytes = encodePacket(packet, this.#book.hopLimit);
    for (const tap of this.#taps) tap.onSent(packet.id, bytes);
    await this.#write(bytes);
  }

  sendGuest(packet: GuestPacket): Promise<void> {
    return this.#write(packet.bytes);
  }

  pass(toRadio: Uint8Array): void {
    this.#write(toRadio).catch((error: unknown) => {
      this.#logger.debug('a request was not passed on to the radio', { error: errorText(error) });
    });
  }

  refresh(): void {
    this.#session?.refresh();
  }

  tap(listener: RadioTap): () => void {
    this.#taps.add(listener);
    return () => void this.#taps.delete(listener);
  }

  hearOwn(packet: MeshPacket): void {
    this.#delivery?.offer(packet);
  }

  async release(forMs: number | null): Promise<void> {
    const session = this.#session;
    this.#session = null;
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#dispatch({ type: 'release', forMs });
    if (session !== null) this.#free = session.leave();
    await this.#free;
  }

  claim(): void {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    this.#dispatch({ type: 'claim' });
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (this.#session === null || this.#link.status !== 'ready') {
      const why = this.#link.reason ?? this.#link.status;
      throw new RelayError('RADIO_NOT_READY', `radio ${this.name} is not ready: ${why}`, { retry: RETRY_LATER });
    }
    await this.#session.send(bytes);
  }

  async #stop(): Promise<void> {
    this.#cancelRetry?.();
    this.#cancelRetry = null;
    const session = this.#session;
    await session?.leave();
    this.#session = null;
    await this.#free;
    if (this.#delivery !== null && !this.#delivery.flush()) {
      this.#logger.error('packets of the radio could not be stored before the end', { packets: this.#delivery.held });
    }
    this.#dispatch({ type: 'stop' });
    this.#sink = null;
  }

  #dispatch(event: LinkEvent): void {
    const { clock, random } = this.#options;
    const before = this.#link;
    const context = { nowMs: clock.now(), monotonicMs: clock.monotonic(), random: random() };
    const link = nextLinkState(before, event, context);
    if (link === before) return;
    this.#link = link;
    this.#logChange(link);
    this.#tell((sink) => sink.onState(this.state()));
    if (link.status === 'connecting') this.#connect();
    else if (link.retryInMs !== null) this.#armRetry(link.retryInMs);
  }

  #armRetry(delayMs: number): void {
    if (this.#stopping !== null) return;
    this.#cancelRetry?.();
    this.#cancelRetry = this.#options.clock.after(delayMs, () => {
      this.#cancelRetry = null;
      this.#dispatch({ type: 'retry' });
    });
  }

  #logChange({ status, reason, attempts, retryInMs, evictions }: LinkState): void {
    const fields = { status, reason, attempts, retryInMs };
    if (status === 'stopped') this.#logger.info('radio let go', fields);
    else if (evictions >= 2 && retryInMs !== null) this.#logger.warn('another client took the radio', fields);
    else if (retryInMs !== null) this.#logger.warn('no link to the radio', fields);
    else if (status === 'ready') {
      this.#logger.debug('radio ready', {
        firmware: this.#book.info()?.firmwareVersion ?? null,
        nodes: this.nodes().size,
      });
    } else this.#logger.debug('radio link', fields);
  }

  #connect(): void {
    if (this.#stopping !== null) return;
    if (this.#delivery?.flush() === false) {
      this.#onLost({ kind: 'refused-by-relay', reason: this.#refusal() });
      return;
    }
    const { clock, random } = this.#options;
    const session = new Session({
      transport: this.#transports(),
      clock,
      logger: this.#logger,
      habit: this.#habit,
      fullNonce: this.#isConfigKnown ? null : fullNonce(random()),
      listener: {
        onOpened: () => this.#dispatch({ type: 'opened' }),
        onConfigured: () => this.#onConfigured(session),
        onRebooted: () => {
          this.#dispatch({ type: 'rebooted' });
          this.#tell((sink) => sink.onRebooted?.());
        },
        onMessage: (message, payload) => {
          // Listeners first: storing a packet waits for the disk, and a client need not.
          for (const tap of this.#taps) guarded(this.#logger, () => tap.onFrame(payload, message));
          this.#onMessage(message);
        },
        onRead: () => {
          this.#lastHeardMs = clock.monotonic();
          this.#storePackets(session);
        },
        onLost: (loss) => {
          if (this.#session !== session) return;
          this.#session = null;
          this.#free = session.closed();
          if (this.#stopping === null) this.#onLost(loss);
        },
      },
    });
    this.#session = session;
    void this.#free.then(() => session.run());
  }

  #onLost(loss: Loss): void {
    this.#delivery?.flush();
    this.#dispatch({ type: 'lost', ...loss, powerSaving: this.#book.isPowerSaving });
  }

  #onConfigured(session: Session): void {
    const info = this.#book.info();
    if (info === null) {
      void session.refuse('the radio did not tell its node number');
      return;
    }
    this.#isConfigKnown = true;
    this.#tell((sink) => sink.onInfo(info));
    this.#dispatch({ type: 'configured' });
  }

  /** Packets that came in one read are one commit: the fewer wait in the socket, the fewer a power cut takes. */
  #storePackets(session: Session): void {
    if (this.#delivery?.flush() === false) void session.refuse(this.#refusal());
  }

  #onMessage(message: FromRadioMessage): void {
    this.#book.apply(message);
    // What is said after a packet must not overtake it.
    if (message.kind !== 'packet') this.#delivery?.flush();
    switch (message.kind) {
      case 'packet': {
        this.#delivery?.hold(message.packet);
        const node = this.#book.hear(message.packet);
        if (node !== null) this.#tell((sink) => sink.onNode(node));
        return;
      }
      case 'node':
        this.#tell((sink) => sink.onNode(message.node));
        return;
      case 'queue-status':
        this.#tell((sink) => sink.onQueueStatus(message.status));
        return;
      case 'notification':
        this.#tell((sink) => sink.onNotification(message.notification));
        return;
      default:
        return;
    }
  }

  #refusal(): string {
    return `the relay could not store a packet, so the radio keeps the others: ${this.#delivery?.lastError ?? ''}`;
  }

  #tell(callback: (sink: RadioSink) => void): void {
    const sink = this.#sink;
    if (sink !== null) guarded(this.#logger, () => callback(sink));
  }
}

/** Not one of the special nonces, never 0. */
function fullNonce(random: number): number {
  const nonce = 1 + Math.floor(random * 0x7fff0000);
  return nonce === NONCE_CONFIG_ONLY || nonce === NONCE_CONFIG_ONLY + 1 ? nonce + 2 : nonce;
}
