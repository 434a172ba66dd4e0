const REMEMBERED = 4096;

/** Chooses packet ids: random 32-bit, never 0, never one of the last 4096. One per radio. */
export class PacketIds {
  readonly #random: () => number;
  readonly #recent = new Set<number>();

  /** @param random a value in [0, 1) */
  constructor(random: () => number) {
    this.#random = random;
  }

  next(): number {
    let id = Math.floor(this.#random() * 2 ** 32) >>> 0;
    while (id === 0 || this.#recent.has(id)) id = (id + 1) >>> 0;
    this.#recent.add(id);
    if (this.#recent.size > REMEMBERED) this.#forgetOldest();
    return id;
  }

  #forgetOldest(): void {
    for (const oldest of this.#recent) {
      this.#recent.delete(oldest);
      return;
    }
  }
}
