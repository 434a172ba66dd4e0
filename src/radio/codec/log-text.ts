const MAX_LINE_BYTES = 256;
const NEWLINE = 0x0a;

/** Control characters, and the colour codes of the firmware's console that begin with one. */
const ESCAPES = /\p{Cc}(\[[0-9;]*m)?/gu;

/**
 * Collects the bytes between frames into lines of at most 256 bytes for the debug log. One per connection.
 */
export class LogText {
  readonly #onLine: (line: string) => void;
  #bytes: number[] = [];

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Uint8Array): void {
    for (const byte of bytes) {
      if (byte !== NEWLINE) this.#bytes.push(byte);
      if (byte === NEWLINE || this.#bytes.length >= MAX_LINE_BYTES) this.flush();
    }
  }

  /** Hands out what there is of a line. */
  flush(): void {
    const line = new TextDecoder().decode(Uint8Array.from(this.#bytes)).replace(ESCAPES, '').trim();
    this.#bytes = [];
    if (line !== '') this.#onLine(line);
  }
}
