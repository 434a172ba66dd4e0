import { connect, createServer, type Socket } from 'node:net';
import { listen } from '../../support/listen.ts';

interface Pair {
  readonly outer: Socket;
  readonly inner: Socket;
}

/** A TCP line to a radio that can be cut, or fall silent with both ends still open (a router that lost its table). */
export class TcpCable {
  readonly #radioPort: number;
  readonly #server = createServer((outer) => this.#join(outer));
  readonly #pairs = new Set<Pair>();
  #isSilent = false;

  constructor(radioPort: number) {
    this.#radioPort = radioPort;
  }

  /** @returns the port to connect to */
  listen(): Promise<number> {
    return listen(this.#server);
  }

  /** Every connection is reset, and new ones too, until `mend`. */
  async cut(): Promise<void> {
    this.#isSilent = true;
    for (const { outer, inner } of this.#pairs) {
      outer.resetAndDestroy();
      inner.destroy();
    }
  }

  /** Nothing passes any more, and nobody is told. New connections open and stay silent too, until `mend`. */
  async silence(): Promise<void> {
    this.#isSilent = true;
    for (const { outer, inner } of this.#pairs) {
      outer.unpipe(inner).pause();
      inner.unpipe(outer).pause();
    }
  }

  /** New connections work again. What was silent stays so. */
  async mend(): Promise<void> {
    this.#isSilent = false;
  }

  async close(): Promise<void> {
    for (const { outer, inner } of this.#pairs) {
      outer.destroy();
      inner.destroy();
    }
    this.#server.close();
  }

  #join(outer: Socket): void {
    outer.on('error', () => undefined);
    if (this.#isSilent) return;
    const inner = connect(this.#radioPort, '127.0.0.1');
    inner.on('error', () => undefined);
    const pair = { outer, inner };
    this.#pairs.add(pair);
    outer.pipe(inner);
    inner.pipe(outer);
    inner.once('close', () => outer.destroy());
    outer.once('close', () => {
      inner.destroy();
      this.#pairs.delete(pair);
    });
  }
}
