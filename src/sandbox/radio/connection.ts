import type { Socket } from 'node:net';
import type { DevicePacket } from '../../radio/codec/device-packet.ts';
import { encodeFrame, FrameDecoder } from '../../radio/codec/framing.ts';
import type { Clock } from '../../util/clock.ts';
import type { RadioCounters } from './counters.ts';
import type { CutFault, LinkFaults } from './faults.ts';
import type { PhoneApi } from './phone-api.ts';
import type { LostReason, PhoneFrame } from './phone-queue.ts';

/** TCP_IDLE_TIMEOUT_MS of the firmware. */
const IDLE_MS = 15 * 60_000;

export interface ConnectionOptions {
  readonly socket: Socket;
  readonly clock: Clock;
  readonly faults: LinkFaults;
  readonly counters: RadioCounters;
  readonly makeApi: (onDisconnect: () => void) => PhoneApi;
  readonly onLost: (frame: PhoneFrame, reason: LostReason) => void;
  /** The frame of this packet was written as a whole. */
  readonly onHandedOver: (packet: DevicePacket) => void;
  readonly onClose: (connection: Connection) => void;
}

/**
 * A client's TCP connection. One at a time per radio. Reads frames into its phone API and writes what that has, as
 * fast as the socket takes it. Invariant: after close nothing is read, written or timed.
 */
export class Connection {
  readonly api: PhoneApi;
  readonly #options: ConnectionOptions;
  readonly #decoder: FrameDecoder;
  #cancelIdle: () => void = () => undefined;
  #cancelSlow: () => void = () => undefined;
  #blocked = false;
  #handling = false;
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.api = options.makeApi(() => this.close('end'));
    this.#decoder = new FrameDecoder({ onFrame: (payload) => this.#onFrame(payload) });
    const { socket } = options;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Uint8Array) => {
      this.#decoder.push(chunk);
      this.flush();
    });
    socket.on('drain', () => {
      this.#blocked = false;
      this.flush();
    });
    // The close event that follows says all we need.
    socket.on('error', () => undefined);
    socket.on('end', () => this.close('end'));
    socket.on('close', () => this.close('end'));
    this.#armIdle();
  }

  /** Writes until the client has all, the socket is full, or a fault is in the way. */
  flush(): void {
    const { faults, socket } = this.#options;
    if (this.#closed || this.#handling) return;
    if (faults.stalled) {
      socket.pause();
      return;
    }
    if (socket.isPaused()) socket.resume();
    while (!this.#blocked && !this.#closed) {
      const frame = this.api.pull();
      if (frame === undefined) {
        const junk = faults.takeJunk();
        if (junk.length > 0 && faults.junkBetweenFrames === null) this.#write(junk);
        return;
      }
      this.#send(frame);
    }
  }

  /** Writes one frame past the phone API. */
  writeFrame(payload: Uint8Array): void {
    if (!this.#closed && !this.#options.faults.stalled) this.#write(encodeFrame(payload));
  }

  close(how: 'end' | 'reset' | 'destroy'): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelIdle();
    this.#cancelSlow();
    this.#decoder.stop();
    const { socket, onClose } = this.#options;
    if (how === 'reset') socket.resetAndDestroy();
    else if (how === 'destroy') socket.destroy();
    else {
      // What was written still goes out; then the socket is closed whatever the client does.
      socket.end(() => socket.destroy());
      socket.resume();
    }
    onClose(this);
  }

  #onFrame(payload: Uint8Array): boolean {
    this.#armIdle();
    // As in the firmware, a frame is dealt with before anything is written: its QueueStatus overtakes its NAK.
    this.#handling = true;
    this.api.handle(payload);
    this.#handling = false;
    this.flush();
    return true;
  }

  #send(frame: PhoneFrame): void {
    const { faults, counters, onLost, onHandedOver } = this.#options;
    const bytes = Buffer.concat([faults.takeJunk(), encodeFrame(frame.bytes)]);
    const cut = faults.takeCut();
    if (cut !== null) {
      onLost(frame, 'cut');
      this.#cut(bytes, cut);
      return;
    }
    if (frame.packet !== null) {
      counters.handedOver += 1;
      onHandedOver(frame.packet);
    }
    if (faults.slowWrites === null) this.#write(bytes);
    else this.#trickle(bytes, faults.slowWrites);
  }

  #cut(bytes: Uint8Array, cut: CutFault): void {
    const half = bytes.subarray(0, Math.max(1, Math.floor(bytes.length / 2)));
    this.#options.socket.write(half, () => undefined);
    this.close(cut.how);
  }

  #write(bytes: Uint8Array): void {
    if (!this.#options.socket.write(bytes)) this.#blocked = true;
  }

  #trickle(bytes: Uint8Array, pace: { readonly pieceBytes: number; readonly everyMs: number }): void {
    this.#blocked = true;
    this.#options.socket.write(bytes.subarray(0, pace.pieceBytes));
    const rest = bytes.subarray(pace.pieceBytes);
    this.#cancelSlow = this.#options.clock.after(
      pace.everyMs,
      () => {
        if (rest.length > 0) this.#trickle(rest, pace);
        else {
          this.#blocked = false;
          this.flush();
        }
      },
      { background: true },
    );
  }

  #armIdle(): void {
    const { clock, counters } = this.#options;
    this.#cancelIdle();
    const expire = (): void => {
      counters.idleClosed += 1;
      this.close('end');
    };
    this.#cancelIdle = clock.after(IDLE_MS, expire, { background: true });
  }
}
