import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText, RETRY_LATER, RelayError } from '../util/relay-error.ts';
import { encodeFrame, FrameDecoder } from './codec/framing.ts';
import { decodeFromRadio, type FromRadioMessage } from './codec/from-radio.ts';
import { LogText } from './codec/log-text.ts';
import {
  encodeDisconnect,
  encodeHeartbeat,
  encodeWantConfig,
  NONCE_CONFIG_ONLY,
  NONCE_NODES_ONLY,
} from './codec/to-radio.ts';
import type { LossKind } from './link-machine.ts';
import { type HeartbeatHabit, Liveness } from './liveness.ts';
import type { CloseReason, Transport } from './transport/types.ts';

/** No frame for so long during the handshake, or no end of it in the second time: it will not end. */
const HANDSHAKE_QUIET_MS = 20_000;
const HANDSHAKE_TOTAL_MS = 120_000;

/** After a fast reconnect the nodes are asked for when the backlog had time to come. */
const NODES_DELAY_MS = 5_000;

/** How long we read on after saying goodbye: the radio has handed out packets that are still on the way. */
const DRAIN_MS = 300;

export interface Loss {
  readonly kind: LossKind;
  readonly reason: string;
}

export interface SessionListener {
  /** The transport is open. */
  onOpened(): void;
  /** The handshake is done. */
  onConfigured(): void;
  /** The radio restarted in place; the handshake begins again. */
  onRebooted(): void;
  /** Everything the radio says, in the order of its bytes; `payload` is the FromRadio it was read from. */
  onMessage(message: FromRadioMessage, payload: Uint8Array): void;
  /** All that one read of the link brought has been handed over. */
  onRead(): void;
  /** Once, as the last call; not after `leave`. Nothing can be sent any more, and the transport closes: see `closed`. */
  onLost(loss: Loss): void;
}

export interface SessionOptions {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener: SessionListener;
  readonly habit: HeartbeatHabit;
  /** want_config nonce of a full handshake; null when the configuration is known and a fast one will do. */
  readonly fullNonce: number | null;
}

type Phase = 'new' | 'opening' | 'handshaking' | 'ready' | 'draining' | 'ended';

/**
 * One connection to one radio, from opening to loss. Single use.
 * Holds the transport, the frame decoder and the timers. Invariants: after `ended` no timer waits and no listener is
 * called; packets reach the listener in every phase, so that a goodbye loses none.
 */
export class Session {
  readonly #options: SessionOptions;
  readonly #decoder: FrameDecoder;
  readonly #liveness: Liveness;
  readonly #abort = new AbortController();
  #phase: Phase = 'new';
  #nonce = NONCE_CONFIG_ONLY;
  #frames = 0;
  #cancelTimers: (() => void)[] = [];
  #drained: (() => void) | null = null;
  #farewell: Promise<void> | null = null;
  #closed: Promise<void> | null = null;

  constructor(options: SessionOptions) {
    this.#options = options;
    const text = new LogText((line) => options.logger.debug('radio console', { line }));
    this.#decoder = new FrameDecoder({
      onFrame: (payload) => this.#onPayload(payload),
      onJunk: (bytes) => text.push(bytes),
    });
    this.#liveness = new Liveness(options.clock, options.habit, {
      heartbeat: () => this.#say(encodeHeartbeat()),
      askAnything: () => this.#say(encodeWantConfig(NONCE_CONFIG_ONLY)),
      dead: (silentMs) => this.#lose('silent', `no sign of life for ${Math.round(silentMs / 1000)} s`),
    });
  }

  /** Opens and shakes hands; what becomes of it goes to the listener. */
  async run(): Promise<void> {
    if (this.#phase !== 'new') return;
    this.#phase = 'opening';
    try {
      await this.#options.transport.open(
        { onBytes: (bytes) => this.#onBytes(bytes), onClose: (reason) => this.#onClose(reason) },
        this.#abort.signal,
      );
    } catch (error) {
      this.#lose('failed', errorText(error));
      return;
    }
    if (this.#phase !== 'opening') return;
    this.#options.listener.onOpened();
    this.#shakeHands();
  }

  /**
   * Writes one ToRadio protobuf.
   * @throws RelayError RADIO_NOT_READY, RADIO_WRITE_FAILED
   */
  async send(payload: Uint8Array): Promise<void> {
    if (this.#phase !== 'ready') {
      throw new RelayError('RADIO_NOT_READY', 'the radio is not connected', { retry: RETRY_LATER });
    }
    await this.#write(payload);
  }

  /** Asks once more what the radio says of itself: settings that were changed without a restart. */
  refresh(): void {
    if (this.#phase === 'ready') this.#say(encodeWantConfig(NONCE_CONFIG_ONLY));
  }

  /** Says goodbye, takes in what is still on the way, closes; the listener gets no `onLost`. Within half a second. */
  async leave(): Promise<void> {
    await this.#goodbye();
    this.#end();
    await this.closed();
  }

  /** Closes the transport of a session that has ended; resolves when it has let go of the radio. */
  closed(): Promise<void> {
    this.#closed ??= this.#options.transport.close().catch((error: unknown) => {
      this.#options.logger.debug('the link to the radio did not close cleanly', { error: errorText(error) });
    });
    return this.#closed;
  }

  /** The relay cannot store packets now: like `leave`, then reports the loss with this reason. */
  async refuse(reason: string): Promise<void> {
    if (this.#phase === 'draining' || this.#phase === 'ended') return;
    await this.#goodbye();
    this.#lose('refused-by-relay', reason);
  }

  #shakeHands(): void {
    this.#stopTimers();
    this.#phase = 'handshaking';
    this.#nonce = this.#options.fullNonce ?? NONCE_CONFIG_ONLY;
    const { clock } = this.#options;
    const startedFrames = { count: this.#frames };
    const watch = (): void => {
      const isStuck = this.#frames === startedFrames.count;
      startedFrames.count = this.#frames;
      if (isStuck) this.#lose('silent', 'the radio stopped in the middle of the handshake');
      else this.#cancelTimers.push(clock.after(HANDSHAKE_QUIET_MS, watch));
    };
    this.#cancelTimers.push(
      clock.after(HANDSHAKE_QUIET_MS, watch),
      clock.after(HANDSHAKE_TOTAL_MS, () => this.#lose('silent', 'the radio never completed its configuration')),
    );
    this.#say(encodeWantConfig(this.#nonce));
  }

  #onBytes(bytes: Uint8Array): void {
    if (this.#options.transport.framing === 'stream') this.#decoder.push(bytes);
    else if (!this.#onPayload(bytes))
      this.#options.logger.debug('unreadable packet from the radio', { bytes: bytes.length });
    if (this.#phase !== 'ended') this.#options.listener.onRead();
  }

  #onPayload(payload: Uint8Array): boolean {
    if (this.#phase === 'ended') return true;
    const message = decodeFromRadio(payload);
    if (message === null) return false;
    this.#frames += 1;
    this.#liveness.alive();
    this.#onMessage(message, payload);
    return true;
  }

  #onMessage(message: FromRadioMessage, payload: Uint8Array): void {
    const { listener, logger } = this.#options;
    if (message.kind === 'log')
      logger.debug('radio log', { level: message.level, source: message.source, line: message.message });
    if (message.kind === 'queue-status') this.#liveness.queueStatus(message.status.packetId);
    listener.onMessage(message, payload);
    if (message.kind === 'rebooted') this.#onRebooted();
    else if (message.kind === 'config-complete' && message.nonce === this.#nonce) this.#onConfigured();
  }

  #onRebooted(): void {
    if (this.#phase !== 'ready' && this.#phase !== 'handshaking') return;
    this.#liveness.stop();
    this.#options.listener.onRebooted();
    this.#shakeHands();
  }

  #onConfigured(): void {
    if (this.#phase !== 'handshaking') return;
    this.#stopTimers();
    this.#phase = 'ready';
    this.#liveness.start();
    if (this.#nonce === NONCE_CONFIG_ONLY) {
      const askNodes = (): void => this.#say(encodeWantConfig(NONCE_NODES_ONLY));
      this.#cancelTimers.push(this.#options.clock.after(NODES_DELAY_MS, askNodes));
    }
    this.#options.listener.onConfigured();
  }

  #onClose(reason: CloseReason): void {
    if (this.#drained !== null) {
      this.#drained();
      return;
    }
    const isEviction = reason.kind === 'peer' && this.#frames > 0;
    this.#lose(isEviction ? 'evicted' : 'failed', reason.text);
  }

  /** Writes of our own, which nobody waits for: a failure shows as the end of the link. */
  #say(payload: Uint8Array): void {
    this.#write(payload).catch((error: unknown) => {
      this.#options.logger.debug('a write to the radio failed', { error: errorText(error) });
    });
  }

  #write(payload: Uint8Array): Promise<void> {
    this.#liveness.spoke();
    const { transport } = this.#options;
    return transport.write(transport.framing === 'stream' ? encodeFrame(payload) : payload);
  }

  /** Once, however often asked for: a second caller waits for the first drain. */
  #goodbye(): Promise<void> {
    this.#farewell ??= this.#drain();
    return this.#farewell;
  }

  async #drain(): Promise<void> {
    const wasTalking = this.#phase === 'ready' || this.#phase === 'handshaking';
    this.#stopTimers();
    this.#abort.abort();
    if (!wasTalking) return;
    this.#phase = 'draining';
    await new Promise<void>((resolve) => {
      this.#drained = resolve;
      this.#cancelTimers.push(this.#options.clock.after(DRAIN_MS, resolve));
      this.#say(encodeDisconnect());
    });
  }

  #lose(kind: LossKind, reason: string): void {
    if (this.#phase === 'ended') return;
    this.#end();
    void this.closed();
    this.#options.listener.onLost({ kind, reason });
  }

  #end(): void {
    this.#phase = 'ended';
    this.#decoder.stop();
    this.#abort.abort();
    this.#stopTimers();
  }

  #stopTimers(): void {
    this.#liveness.stop();
    for (const cancel of this.#cancelTimers) cancel();
    this.#cancelTimers = [];
  }
}
