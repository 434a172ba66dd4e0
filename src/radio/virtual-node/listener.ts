import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';

const LISTEN_AGAIN_MS = 30_000;

export interface NodeListenerOptions {
  readonly listen: { readonly host: string; readonly port: number };
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onSocket: (socket: Socket) => void;
}

/**
 * The listening port of the virtual node. One per virtual node; holds the server, or the timer of the next attempt.
 * Invariant: a port that is taken is tried again for as long as it is not stopped.
 */
export class NodeListener {
  readonly #options: NodeListenerOptions;
  #server: Server | null = null;
  #cancelRetry: () => void = () => undefined;
  #isStopped = false;

  constructor(options: NodeListenerOptions) {
    this.#options = options;
  }

  /** 0 while nothing listens. */
  get port(): number {
    return (this.#server?.address() as AddressInfo | null)?.port ?? 0;
  }

  /** Resolves after the first attempt. */
  async start(): Promise<void> {
    const { listen, clock, logger, onSocket } = this.#options;
    const { host, port } = listen;
    const server = createServer(onSocket);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen({ port, ...(host === '' || host === '*' ? {} : { host }) }, resolve);
      });
    } catch (error) {
      logger.error('the virtual node cannot listen', { host, port, error: errorText(error) });
      if (!this.#isStopped)
        this.#cancelRetry = clock.after(LISTEN_AGAIN_MS, () => void this.start(), { background: true });
      return;
    }
    server.on('error', (error) => logger.error('the virtual node fails', { error: errorText(error) }));
    this.#server = server;
    if (this.#isStopped) await this.stop();
    else logger.info('the radio is shared', { host, port: this.port });
  }

  /** Takes no more connections; resolves when those there are have ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelRetry();
    const server = this.#server;
    this.#server = null;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }
}
