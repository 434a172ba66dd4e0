/** A cut: half of the frame goes out, then FIN (`end`) or RST (`reset`). */
export interface CutFault {
  /** Whole frames that still go out before. */
  readonly afterFrames: number;
  readonly how: 'end' | 'reset';
}

/**
 * What goes wrong with the link, switched by a test or a demo. One per virtual radio, read by its connections; a
 * change works from the next frame on.
 */
export class LinkFaults {
  readonly #onChange: () => void;
  #stalled = false;
  #cut: CutFault | null = null;
  #junkOnce: Uint8Array[] = [];
  #lostStatuses = 0;
  /** Written before every frame; null for nothing. */
  junkBetweenFrames: (() => Uint8Array | string) | null = null;
  /** The answer to want_config stops short of its last frame. */
  neverCompleteConfig = false;
  /** Frames trickle out in pieces. */
  slowWrites: { readonly pieceBytes: number; readonly everyMs: number } | null = null;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  get stalled(): boolean {
    return this.#stalled;
  }

  /** Half open: neither reads nor writes, but does not close. */
  stall(): void {
    this.#stalled = true;
    this.#onChange();
  }

  resume(): void {
    this.#stalled = false;
    this.#onChange();
  }

  /** Cuts the connection in the middle of a frame. */
  cutMidFrame(cut: Partial<CutFault> = {}): void {
    this.#cut = { afterFrames: cut.afterFrames ?? 0, how: cut.how ?? 'end' };
  }

  /** Bytes that are no frame, before the next one. */
  junk(bytes: Uint8Array | string): void {
    this.#junkOnce.push(Buffer.from(bytes));
    this.#onChange();
  }

  /** The next `count` QueueStatus frames never reach the client's queue (heartbeat answers do). */
  loseQueueStatus(count: number): void {
    this.#lostStatuses = count;
  }

  takeLostStatus(): boolean {
    if (this.#lostStatuses === 0) return false;
    this.#lostStatuses -= 1;
    return true;
  }

  /** What to write ahead of a frame. */
  takeJunk(): Uint8Array {
    const once = this.#junkOnce;
    this.#junkOnce = [];
    const each = this.junkBetweenFrames?.();
    return Buffer.concat(each === undefined ? once : [...once, Buffer.from(each)]);
  }

  /** The cut, when the frame at hand is to suffer it. */
  takeCut(): CutFault | null {
    const cut = this.#cut;
    if (cut === null) return null;
    this.#cut = cut.afterFrames === 0 ? null : { ...cut, afterFrames: cut.afterFrames - 1 };
    return cut.afterFrames === 0 ? cut : null;
  }
}
