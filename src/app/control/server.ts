import { rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { type Endpoint, openEndpoint } from './endpoint.ts';
import {
  type ControlRequest,
  type ControlVerbs,
  MAX_REQUEST_CHARS,
  parseRequest,
  refusalLine,
  resultLine,
} from './protocol.ts';

/** What each verb does. Arguments come from outside and are to be checked. @throws RelayError for the one who asked */
export type VerbHandlers = {
  readonly [V in keyof ControlVerbs]: (
    args: ControlRequest['args'],
  ) => ControlVerbs[V]['result'] | Promise<ControlVerbs[V]['result']>;
};

export interface ControlServerOptions {
  readonly home: string;
  readonly verbs: VerbHandlers;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ControlServer {
  close(): Promise<void>;
}

/** From the first byte to the last: whoever needs longer is cut off. */
const CLIENT_MS = 10_000;
const MAX_CLIENTS = 8;
/** Only the user that runs the relay may speak to it. */
const SOCKET_UMASK = 0o177;

/**
 * Listens for the command line. A socket that lies there is one of a dead predecessor: the caller holds the lock of the
 * home. null when it cannot listen (a file system without sockets): the relay goes on without.
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer | null> {
  const { home, logger } = options;
  try {
    const endpoint = openEndpoint(home);
    const clients = new Set<Socket>();
    const server = createServer((socket) => {
      clients.add(socket);
      socket.on('close', () => clients.delete(socket));
      serve(socket, options);
    });
    server.maxConnections = MAX_CLIENTS;
    try {
      await listen(server, endpoint);
      // No descriptor is left for a client, say: the relay has no part in that.
      server.on('error', (error) => logger.warn('The control socket has trouble', { error: errorText(error) }));
    } catch (error) {
      endpoint.close();
      throw error;
    }
    server.unref();
    let closing: Promise<void> | null = null;
    return {
      close: () => {
        closing ??= close(server, clients, endpoint);
        return closing;
      },
    };
  } catch (error) {
    logger.warn('No control socket: `mmrelay status` and `mmrelay radio` do not reach this relay', {
      home,
      error: errorText(error),
    });
    return null;
  }
}

function listen(server: Server, { path }: Endpoint): Promise<void> {
  if (process.platform !== 'win32') rmSync(path, { force: true });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    // listen binds before it returns: nobody else comes in between bind and chmod.
    const before = process.umask(SOCKET_UMASK);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(before);
    }
  });
}

async function close(server: Server, clients: ReadonlySet<Socket>, endpoint: Endpoint): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const socket of clients) socket.destroy();
  await closed;
  endpoint.close();
}

/** One request, one answer. Nothing a client does or omits reaches further than its own connection. */
function serve(socket: Socket, options: ControlServerOptions): void {
  let text = '';
  const cancel = options.clock.after(CLIENT_MS, () => socket.destroy(), { background: true });
  socket.on('close', cancel);
  socket.on('error', () => undefined); // It went away: nobody is left to be told.
  socket.setEncoding('utf8');
  const onData = (chunk: string): void => {
    text += chunk;
    const end = text.indexOf('\n');
    if (end < 0 && text.length <= MAX_REQUEST_CHARS) return;
    socket.off('data', onData);
    socket.resume();
    void answer(end < 0 ? '' : text.slice(0, end), options).then((line) => socket.end(line));
  };
  socket.on('data', onData);
}

async function answer(line: string, { verbs, logger }: ControlServerOptions): Promise<string> {
  try {
    const { verb, args } = parseRequest(line);
    if (!isVerb(verb, verbs)) return refusalLine('CONTROL_VERB', `this relay knows no "${verb}"`);
    logger.debug('asked by the command line', { verb });
    return resultLine(await verbs[verb](args));
  } catch (error) {
    if (error instanceof RelayError) return refusalLine(error.code, error.message);
    logger.error('a control request failed; this is a defect', { error });
    return refusalLine('CONTROL_FAILED', 'the relay failed to answer; its log says why');
  }
}

function isVerb(verb: string, verbs: VerbHandlers): verb is keyof ControlVerbs {
  return Object.hasOwn(verbs, verb);
}
