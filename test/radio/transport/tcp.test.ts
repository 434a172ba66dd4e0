import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { TcpTransport } from '../../../src/radio/transport/tcp.ts';
import type { Transport } from '../../../src/radio/transport/types.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { describeTransport, type TransportRig } from '../../contract/transport-contract.ts';
import { listen } from '../../support/listen.ts';

async function createTcpRig(): Promise<TransportRig> {
  const sockets: Socket[] = [];
  const received: Uint8Array[] = [];
  let arrived: ((socket: Socket) => void) | null = null;
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => received.push(bytes));
    arrived?.(socket);
  });
  const port = await listen(server);
  const clientSockets = (): number =>
    process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap').length -
    sockets.filter((s) => !s.destroyed).length;
  const baseline = clientSockets();
  const at =
    (host: string, toPort: number) =>
    (clock: ManualClock): Transport =>
      new TcpTransport({ type: 'tcp', host, port: toPort }, clock);
  return {
    reachable: at('127.0.0.1', port),
    refused: at('127.0.0.1', 1),
    // TEST-NET-1: no answer, or an error of the network, which must come out the same way.
    unanswered: at('192.0.2.1', 4403),
    async peer() {
      const socket = sockets[0] ?? (await new Promise<Socket>((resolve) => (arrived = resolve)));
      return {
        send: (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve())),
        received: () => Buffer.concat(received),
        end: () => socket.end(),
        vanish: () => socket.resetAndDestroy(),
      };
    },
    openHandles: () =>
      Math.max(
        0,
        process.getActiveResourcesInfo().filter((kind) => kind === 'TCPSocketWrap' || kind === 'ConnectWrap').length -
          sockets.filter((s) => !s.destroyed).length -
          baseline,
      ),
    async dispose() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describeTransport('tcp', createTcpRig);

describe('tcp', () => {
  it.each([
    ['127.0.0.1', 1, /127\.0\.0\.1:1: the device answers, but nothing listens on that port/],
    ['no-such-host.invalid', 4403, /no-such-host\.invalid:4403: (no such host name|the host name cannot be looked up)/],
  ])('explains why %s:%i cannot be reached', async (host, port, message) => {
    const transport = new TcpTransport({ type: 'tcp', host, port }, new ManualClock());
    const opening = transport.open(
      { onBytes: () => undefined, onClose: () => undefined },
      new AbortController().signal,
    );
    await expect(opening).rejects.toThrow(message);
  });
});
