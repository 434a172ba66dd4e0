import { createServer } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { toRelayError } from '../../src/matrix/errors.ts';
import { createHttp, HttpFailure } from '../../src/matrix/http.ts';
import { systemClock } from '../../src/util/clock.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';
import { closeHttp, listen } from '../support/listen.ts';
import { type ScriptedAnswer, type ScriptedServer, scriptedServer } from '../support/scripted-server.ts';

let server: ScriptedServer | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

async function failureOf(url: string, clock = systemClock): Promise<unknown> {
  const sent = createHttp(clock)({ method: 'PUT', url, body: {}, timeoutMs: 25_000 });
  return sent.then(
    () => null,
    (error: unknown) => error,
  );
}

async function classified(answer: ScriptedAnswer): Promise<unknown> {
  server = await scriptedServer(() => answer);
  return toRelayError(await failureOf(server.url), 'send');
}

const matrix = (status: number, errcode: string, extra = {}) => ({
  status,
  body: { errcode, error: 'words', ...extra },
});

describe('failures of the homeserver', () => {
  it.each<[string, ScriptedAnswer, object]>([
    [
      '429',
      matrix(429, 'M_LIMIT_EXCEEDED', { retry_after_ms: 1500 }),
      { code: 'MATRIX_RATE_LIMITED', retry: { kind: 'after', ms: 1500 } },
    ],
    [
      '429, header',
      { ...matrix(429, 'M_LIMIT_EXCEEDED'), headers: { 'Retry-After': '3' } },
      { retry: { kind: 'after', ms: 3000 } },
    ],
    [
      '429, a date far off, as it looks to a clock that is years behind',
      { ...matrix(429, 'M_LIMIT_EXCEEDED'), headers: { 'Retry-After': 'Wed, 21 Oct 2099 07:28:00 GMT' } },
      { retry: { kind: 'after', ms: 3_600_000 } },
    ],
    ['429, page', { status: 429, body: 'slow down' }, { retry: { kind: 'after', ms: 5000 } }],
    ['401 token', matrix(401, 'M_UNKNOWN_TOKEN'), { code: 'MATRIX_LOGGED_OUT', retry: { kind: 'later' } }],
    ['401 page', { status: 401, body: 'proxy auth' }, { code: 'MATRIX_UNAVAILABLE', retry: { kind: 'later' } }],
    [
      '403',
      matrix(403, 'M_FORBIDDEN'),
      { code: 'MATRIX_FORBIDDEN', retry: { kind: 'never' }, userText: 'not allowed in this Matrix room' },
    ],
    ['404', matrix(404, 'M_NOT_FOUND'), { code: 'MATRIX_NOT_FOUND', retry: { kind: 'never' } }],
    ['404 page', { status: 404, body: 'nginx' }, { code: 'MATRIX_UNAVAILABLE', certain: true }],
    ['413', matrix(413, 'M_TOO_LARGE'), { code: 'MATRIX_TOO_LARGE', retry: { kind: 'never' } }],
    ['400', matrix(400, 'M_BAD_JSON'), { code: 'MATRIX_REFUSED', retry: { kind: 'never' } }],
    ['401 of a locked account', matrix(401, 'M_USER_LOCKED'), { code: 'MATRIX_UNAVAILABLE', retry: { kind: 'later' } }],
    ['500', matrix(500, 'M_UNKNOWN'), { code: 'MATRIX_UNAVAILABLE', retry: { kind: 'later' }, certain: false }],
    [
      '502 page',
      { status: 502, body: '<html>' },
      { code: 'MATRIX_UNAVAILABLE', retry: { kind: 'later' }, certain: false },
    ],
    [
      '200 page',
      { body: '<html>captive portal' },
      { code: 'MATRIX_UNAVAILABLE', retry: { kind: 'later' }, certain: false },
    ],
  ])('%s', async (_, answer, expected) => {
    expect(await classified(answer)).toMatchObject(expected);
  });

  it('refused and unknown names never reached it; a broken connection may have', async () => {
    server = await scriptedServer(() => null);
    const { url } = server;
    await server.close();
    server = null;
    expect(toRelayError(await failureOf(url), 'send')).toMatchObject({ code: 'MATRIX_UNAVAILABLE', certain: true });
    const unknown = toRelayError(await failureOf('http://no-such-host.invalid'), 'send');
    expect(unknown).toMatchObject({ code: 'MATRIX_UNAVAILABLE', retry: { kind: 'later' }, certain: true });
    const cutter = createServer((incoming) => incoming.socket.destroy());
    expect(toRelayError(await failureOf(`http://127.0.0.1:${await listen(cutter)}`), 'send')).toMatchObject({
      certain: false,
    });
    cutter.close();
  });

  it('gives up after 25 s, also in the middle of a body', async () => {
    const clock = new ManualClock();
    const slow = createServer((_, outgoing) => void outgoing.writeHead(200).write('{"half":'));
    const port = await listen(slow);
    const asked = new Promise((resolve) => slow.once('request', resolve));
    const failure = failureOf(`http://127.0.0.1:${port}`, clock);
    await asked;
    await clock.advance(24_999);
    await clock.advance(1);
    expect(await failure).toBeInstanceOf(HttpFailure);
    expect(await failure).toMatchObject({ kind: 'timeout' });
    expect(clock.pending()).toBe(0);
    await closeHttp(slow);
  });
});

it('tells what time it is at the homeserver, and nothing of what a proxy in between says', async () => {
  const times: number[] = [];
  let answer: ScriptedAnswer = { body: {} };
  server = await scriptedServer(() => answer);
  const ask = async (): Promise<unknown> => {
    const http = createHttp(new ManualClock(0), (nowMs) => times.push(nowMs));
    return http({ method: 'GET', url: server?.url ?? '', timeoutMs: 25_000 }).catch(() => null);
  };
  await ask();
  answer = { status: 502, body: '<html>' };
  await ask();

  expect(times).toHaveLength(1);
  expect(Math.abs((times[0] ?? 0) - Date.now())).toBeLessThan(5_000);
});
