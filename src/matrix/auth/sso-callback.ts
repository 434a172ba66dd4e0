/**
 * Where the browser comes back to after a single sign-on: a listener on loopback, for one login. Holds the port until
 * `close`. Invariant: only an address with our nonce is taken, so that no other page can slip us its own login.
 */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';

export interface SsoCallback {
  /** What the user opens, in a browser anywhere. */
  readonly address: string;
  /** The login token that the browser brings. Never rejects. */
  readonly token: Promise<string>;
  /** The login token in an address that the user has copied from a browser of another machine; null: it is not ours. */
  tokenIn(address: string): string | null;
  close(): Promise<void>;
}

/** @param baseUrl of the homeserver's client API */
export async function openSsoCallback(baseUrl: string): Promise<SsoCallback> {
  const path = `/${randomBytes(16).toString('base64url')}`;
  const { promise: token, resolve } = Promise.withResolvers<string>();
  const tokenIn = (address: string): string | null => {
    const url = URL.parse(address.trim(), 'http://127.0.0.1');
    return url?.pathname === path ? url.searchParams.get('loginToken') || null : null;
  };
  const server = createServer((request, response) => {
    const found = request.method === 'GET' ? tokenIn(request.url ?? '') : null;
    if (found === null) answer(response, 404, 'This is not the end of a login', 'Go back, and log in again.');
    else {
      response.once('close', () => resolve(found));
      answer(response, 200, 'mmrelay is logged in', 'You can close this page and go back to the terminal.');
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('the listener has no port');
  const redirect = new URLSearchParams({ redirectUrl: `http://127.0.0.1:${bound.port}${path}` });
  return {
    address: `${baseUrl}/_matrix/client/v3/login/sso/redirect?${redirect}`,
    token,
    tokenIn,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

function answer(response: ServerResponse, status: number, title: string, words: string): void {
  response.writeHead(status, {
    'Content-Type': 'text/html; charset=utf-8',
    'Cache-Control': 'no-store',
    // The address of this page holds the token.
    'Referrer-Policy': 'no-referrer',
    'Content-Security-Policy': "default-src 'none'; style-src 'unsafe-inline'",
    Connection: 'close',
  });
  response.end(`<!doctype html><meta charset="utf-8"><title>${title}</title>
<style>body{font:1.1rem system-ui,sans-serif;margin:20vh auto;max-width:30rem;padding:0 1rem;text-align:center}</style>
<h1>${title}</h1><p>${words}</p>`);
}
