import { once } from 'node:events';
import { createServer } from 'node:net';
import { listen } from './listen.ts';

/** A TCP port on loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  server.close();
  await once(server, 'close');
  return port;
}
