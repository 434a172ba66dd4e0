import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Logger } from '../util/logger.ts';
import type { HealthReport } from './health.ts';
import type { MetricsRegistry } from './metrics.ts';

export interface HealthServerOptions {
  /** '' or `*`: every address. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly report: () => HealthReport;
  /** True while event loop, store and lanes move: what a restart could cure. */
  readonly alive: () => boolean;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
}

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Serves /healthz, /readyz and /metrics.
 * @throws what listen says, when the address is taken or not ours
 */
export async function startHealthServer(options: HealthServerOptions): Promise<HealthServer> {
  const server = createServer((request, response) => {
    try {
      answer(options, request, response);
    } catch (error) {
      options.logger.error('a health request failed', { error });
      if (!response.headersSent) reply(response, 500, 'text/plain', 'failed\n');
      else response.end();
    }
  });
  server.requestTimeout = 5000;
  server.headersTimeout = 5000;
  server.keepAliveTimeout = 5000;
  server.maxHeadersCount = 50;
  await listen(server, options);
  server.unref();
  const address: AddressInfo | string | null = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : options.port,
    close: () => close(server),
  };
}

function listen(server: Server, options: HealthServerOptions): Promise<void> {
  const every = options.host === '' || options.host === '*';
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port: options.port, ...(every ? {} : { host: options.host }) }, () => {
      server.off('error', reject);
      server.on('error', (error) => options.logger.warn('the health server has trouble', { error }));
      resolve();
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

function answer(options: HealthServerOptions, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('allow', 'GET, HEAD');
    reply(response, 405, 'text/plain', 'method not allowed\n');
    return;
  }
  const path = (request.url ?? '/').split('?', 1)[0];
  if (path === '/healthz') {
    const alive = options.alive();
    json(response, alive ? 200 : 503, { alive, state: options.report().state });
  } else if (path === '/readyz') {
    const report = options.report();
    json(response, report.ready ? 200 : 503, report);
  } else if (path === '/metrics') {
    reply(response, 200, 'text/plain; version=0.0.4; charset=utf-8', options.metrics.render());
  } else reply(response, 404, 'text/plain', 'not found\n');
}

function json(response: ServerResponse, status: number, body: unknown): void {
  reply(response, status, 'application/json', `${JSON.stringify(body)}\n`);
}

function reply(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, {
    'content-type': type,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'content-length': Buffer.byteLength(body),
  });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
