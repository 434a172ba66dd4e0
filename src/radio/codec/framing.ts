/** The stream framing of the Meshtastic client API (serial and TCP): 94 C3, length as two bytes big-endian, protobuf. */

const START1 = 0x94;
const START2 = 0xc3;
const HEADER_BYTES = 4;

/** Largest protobuf the firmware sends or takes (MAX_TO_FROM_RADIO_SIZE). */
export const MAX_FRAME_PAYLOAD_BYTES = 512;

/**
 * One frame around one protobuf.
 * @throws RangeError above 512 bytes: the firmware would drop it in silence
 */
export function encodeFrame(payload: Uint8Array): Uint8Array {
  if (payload.length > MAX_FRAME_PAYLOAD_BYTES) {
    throw new RangeError(`frame payload of ${payload.length} bytes exceeds ${MAX_FRAME_PAYLOAD_BYTES}`);
  }
  const frame = new Uint8Array(HEADER_BYTES + payload.length);
  frame[0] = START1;
  frame[1] = START2;
  frame[2] = payload.length >> 8;
  frame[3] = payload.length & 0xff;
  frame.set(payload, HEADER_BYTES);
  return frame;
}

export interface FrameHandlers {
  /**
   * A complete payload, a copy of its own. Answer false when it is no protobuf of ours: then the header was a chance
   * match in other bytes (a frame cut by a reset, line noise), and the search goes on right behind it.
   */
  onFrame(payload: Uint8Array): boolean;
  /** Bytes outside frames (log text of the firmware, noise), valid during the call only. */
  onJunk?(bytes: Uint8Array): void;
}

/**
 * Finds frames in a byte stream however it is split. One per connection. Holds at most one frame (516 bytes).
 * Invariant: between calls the buffer is empty or begins with what may still become a frame.
 * A handler may call `stop` to have the rest of the input ignored, but not `push`. Each byte is looked at once, except those of a
 * payload that `onFrame` refused.
 */
export class FrameDecoder {
  readonly #handlers: FrameHandlers;
  readonly #buffer = new Uint8Array(HEADER_BYTES + MAX_FRAME_PAYLOAD_BYTES);
  #have = 0;
  #stopped = false;

  constructor(handlers: FrameHandlers) {
    this.#handlers = handlers;
  }

  /** Bytes that wait for the rest of their frame. */
  get pendingBytes(): number {
    return this.#have;
  }

  /** Ignores whatever comes, from now on. */
  stop(): void {
    this.#stopped = true;
    this.#have = 0;
  }

  push(chunk: Uint8Array): void {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#have === 0) {
        const start = chunk.indexOf(START1, at);
        const end = start === -1 ? chunk.length : start;
        if (end > at) this.#handlers.onJunk?.(chunk.subarray(at, end));
        at = end;
        if (start === -1) return;
      }
      const take = Math.min(this.#wanted(), chunk.length - at);
      this.#buffer.set(chunk.subarray(at, at + take), this.#have);
      this.#have += take;
      at += take;
      this.#settle();
    }
  }

  /** Bytes that bring the buffer to its next decision: second start byte, header, end of payload. */
  #wanted(): number {
    if (this.#have < HEADER_BYTES) return this.#have < 2 ? 1 : HEADER_BYTES - this.#have;
    return HEADER_BYTES + this.#payloadBytes() - this.#have;
  }

  #payloadBytes(): number {
    return ((this.#buffer[2] ?? 0) << 8) | (this.#buffer[3] ?? 0);
  }

  /** Restores the invariant: hands out what is complete, drops what cannot be a frame. */
  #settle(): void {
    while (this.#have > 0 && !this.#stopped) {
      const buffer = this.#buffer;
      if (buffer[0] !== START1 || (this.#have >= 2 && buffer[1] !== START2)) {
        this.#dropToNextStart();
        continue;
      }
      if (this.#have < HEADER_BYTES) return;
      const total = HEADER_BYTES + this.#payloadBytes();
      if (total > buffer.length) {
        this.#dropToNextStart();
        continue;
      }
      if (this.#have < total) return;
      if (this.#handlers.onFrame(buffer.slice(HEADER_BYTES, total))) this.#shift(total);
      else this.#dropToNextStart();
    }
  }

  #dropToNextStart(): void {
    const next = this.#buffer.subarray(0, this.#have).indexOf(START1, 1);
    const end = next === -1 ? this.#have : next;
    this.#handlers.onJunk?.(this.#buffer.slice(0, end));
    this.#shift(end);
  }

  #shift(count: number): void {
    if (this.#stopped) return;
    this.#buffer.copyWithin(0, count, this.#have);
    this.#have -= count;
  }
}
