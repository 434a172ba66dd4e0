import { afterEach, describe, expect, it } from 'vitest';
import { createApi } from '../../../src/matrix/api.ts';
import { Account, type AccountOptions } from '../../../src/matrix/auth/account.ts';
import type { Credentials } from '../../../src/matrix/auth/credentials-file.ts';
import { createHttp, type HttpSend } from '../../../src/matrix/http.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import {
  type ScriptedAnswer,
  type ScriptedRequest,
  type ScriptedServer,
  scriptedServer,
} from '../../support/scripted-server.ts';

let server: ScriptedServer;
afterEach(() => server.close());

const signal = new AbortController().signal;
const SOFT: ScriptedAnswer = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'expired', soft_logout: true } };
const HARD: ScriptedAnswer = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'gone' } };
const OUTAGE: ScriptedAnswer = { status: 502, body: '<html>' };

/** A homeserver whose access tokens a1, a2, ... are each good until the next one is asked for. */
async function serve(
  answer: (request: ScriptedRequest) => ScriptedAnswer | undefined = () => undefined,
): Promise<void> {
  let number = 1;
  server = await scriptedServer((request) => {
    const special = answer(request);
    if (special !== undefined) return special;
    if (request.path.endsWith('/refresh')) {
      if (request.body.refresh_token !== `r${number}`)
        return { status: 403, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'used' } };
      number += 1;
      return { body: { access_token: `a${number}`, refresh_token: `r${number}`, expires_in_ms: 300_000 } };
    }
    if (request.path.endsWith('/login')) {
      number += 1;
      const device = request.body.device_id ?? 'NEW';
      return { body: { access_token: `a${number}`, device_id: device, user_id: '@bot:x' } };
    }
    return request.token === `a${number}` ? { body: { token: request.token } } : SOFT;
  });
}

function setUp(
  options: Partial<AccountOptions> = {},
  expiresInMs: number | null = 300_000,
  http: HttpSend = createHttp(systemClock),
) {
  const clock = new ManualClock();
  const saved: Credentials[] = [];
  const expiresAtMs = expiresInMs === null ? null : clock.now() + expiresInMs;
  const renewal = { refreshToken: 'r1', expiresAtMs, oauth: null };
  const account = new Account(
    {
      credentials: { homeserver: server.url, accessToken: 'a1', deviceId: 'D', userId: '@bot:x', renewal },
      login: null,
      saveCredentials: (credentials) => saved.push(credentials),
      ...options,
    },
    { http, timeoutMs: 2000, clock },
    silentLogger,
  );
  const api = createApi({ tokens: account, http: createHttp(systemClock), timeoutMs: 2000 });
  const ask = async () => (await api.request('GET', '/anything')).token;
  return { clock, account, saved, ask };
}

const password = { homeserver: 'unused', user: 'bot', password: 'pw', deviceName: 'mmrelay' };

describe('a session that renews itself', () => {
  it('gets its next token a minute before the end, once, however many ask; stored before it is used', async () => {
    const order: string[] = [];
    await serve(({ path, token }) => {
      order.push(token === null ? path.slice(path.lastIndexOf('/')) : token);
      return undefined;
    });
    const { clock, account, ask, saved } = setUp({
      saveCredentials: ({ accessToken }) => order.push(`saved ${accessToken}`),
    });
    await account.ensure(signal);
    await clock.advance(239_000);
    expect(await ask()).toBe('a1');
    await clock.advance(2_000);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual(['a2', 'a2', 'a2']);
    expect(order).toEqual(['a1', '/refresh', 'saved a2', 'a2', 'a2', 'a2']);
    expect(saved).toEqual([]);
    await clock.advance(241_000);
    expect(await ask()).toBe('a3');
  });

  it('is renewed when the server refuses its token, and the request is made again', async () => {
    await serve(({ token }) => (token === 'a1' ? HARD : undefined));
    const { account, ask, saved } = setUp({}, null);
    await account.ensure(signal);
    expect(await Promise.all([ask(), ask()])).toEqual(['a2', 'a2']);
    expect(server.count('/refresh')).toBe(1);
    expect(saved).toMatchObject([{ accessToken: 'a2', deviceId: 'D', renewal: { refreshToken: 'r2' } }]);
  });

  it('is not renewed with every request where tokens are short-lived', async () => {
    let number = 1;
    await serve(({ path }) => {
      if (path.endsWith('/refresh')) number += 1;
      return { body: { access_token: `b${number}`, refresh_token: 'r', expires_in_ms: 10_000 } };
    });
    const { account, ask, clock } = setUp({}, 10_000);
    await account.ensure(signal);
    for (let seconds = 0; seconds < 30; seconds += 1) {
      await ask();
      await clock.advance(1_000);
    }
    expect(server.count('/refresh')).toBe(3);
  });

  it('keeps a refresh token that is not replaced', async () => {
    await serve(({ path }) => (path.endsWith('/refresh') ? { body: { access_token: 'b' } } : undefined));
    const { account, saved } = setUp({}, 0);
    await account.ensure(signal);
    expect(saved[0]?.renewal).toEqual({ refreshToken: 'r1', expiresAtMs: null, oauth: null });
  });

  it('goes on with its token while the renewal fails, asking for it every fifteen seconds', async () => {
    let down = true;
    await serve(({ path }) => (down && path.endsWith('/refresh') ? OUTAGE : undefined));
    const { account, ask, clock } = setUp({}, 30_000);
    await account.ensure(signal);
    for (let i = 0; i < 5; i += 1) expect(await ask()).toBe('a1');
    expect(server.count('/refresh')).toBe(1);
    down = false;
    await clock.advance(15_000);
    expect(await ask()).toBe('a2');
  });

  it('an outage at the renewal is an outage, not a logout', async () => {
    await serve(({ path, token }) => (path.endsWith('/refresh') ? OUTAGE : token === null ? undefined : SOFT));
    const { account, ask } = setUp({ login: password }, null);
    await account.ensure(signal);
    await expect(ask()).rejects.toMatchObject({ code: 'MATRIX_UNAVAILABLE' });
    await expect(account.ensure(signal)).rejects.toMatchObject({ code: 'MATRIX_UNAVAILABLE' });
    expect(server.count('/login')).toBe(0);
  });

  it('whose refresh token is refused logs in with the password, and without one asks no more', async () => {
    await serve(({ path }) =>
      path.endsWith('/refresh') ? { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'x' } } : undefined,
    );
    const { account, ask, clock } = setUp({}, 0);
    await account.ensure(signal);
    for (let i = 0; i < 5; i += 1) {
      await ask();
      await clock.advance(60_000);
      await account.ensure(signal);
    }
    expect(server.count('/refresh')).toBe(1);
  });

  it('whose renewal ends after somebody has logged in by hand does not push that login aside', async () => {
    const asked = Promise.withResolvers<void>();
    const renewed = Promise.withResolvers<void>();
    await serve(({ path, token }) => {
      if (path.endsWith('/refresh')) asked.resolve();
      return token === 'a1' ? SOFT : undefined;
    });
    const http = createHttp(systemClock);
    let stored: Credentials | null = null;
    const slow: HttpSend = async (request) => {
      const answer = await http(request);
      if (request.url.endsWith('/refresh')) await renewed.promise;
      return answer;
    };
    const { account, ask, saved } = setUp({ readCredentials: () => stored }, null, slow);
    const { homeserver } = await account.ensure(signal);
    const asking = ask().catch(() => undefined);
    await asked.promise;
    stored = { homeserver, accessToken: 'by-hand', deviceId: 'OTHER', userId: '@bot:x' };
    expect((await account.ensure(signal)).accessToken).toBe('by-hand');
    renewed.resolve();
    await asking;
    expect((await account.ensure(signal)).accessToken).toBe('by-hand');
    expect(saved).toEqual([]);
  });

  it('is saved again when it could not be, and not replaced by the older one on disk', async () => {
    await serve();
    let full = true;
    const saved: Credentials[] = [];
    const old = { homeserver: server.url, accessToken: 'a1', deviceId: 'D', userId: '@bot:x' };
    const { account, ask } = setUp(
      {
        saveCredentials: (credentials) => {
          if (full) throw new Error('disk full');
          saved.push(credentials);
        },
        readCredentials: () => old,
      },
      0,
    );
    await account.ensure(signal);
    expect(await ask()).toBe('a2');
    full = false;
    await account.ensure(signal);
    expect(saved.map(({ accessToken }) => accessToken)).toEqual(['a2']);
  });

  it('is taken from the disk when another process has renewed it', async () => {
    await serve();
    const next = { refreshToken: 'r9', expiresAtMs: null, oauth: null };
    const stored = { homeserver: '', accessToken: 'a1', deviceId: 'D', userId: '@bot:x', renewal: next };
    const { account } = setUp({ readCredentials: () => ({ ...stored, homeserver: server.url, accessToken: 'a9' }) }, 0);
    expect((await account.ensure(signal)).accessToken).toBe('a9');
    expect(server.count('/refresh')).toBe(0);
  });
});

describe('a session that the server ended', () => {
  it.each([
    ['softly: the same device goes on', SOFT, 'D'],
    ['for good: a new device, as the keys of the old name are gone', HARD, 'NEW'],
  ])('%s', async (_, refusal, device) => {
    await serve(({ token }) => (token === 'a1' ? refusal : undefined));
    const credentials = { homeserver: server.url, accessToken: 'a1', deviceId: 'D', userId: '@bot:x' };
    const { account, ask, saved } = setUp({ credentials, login: password });
    await account.ensure(signal);
    await expect(ask()).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
    expect(await account.ensure(signal)).toMatchObject({ accessToken: 'a2', deviceId: device });
    expect(saved).toHaveLength(1);
    expect(await ask()).toBe('a2');
  });

  it('is not asked for by every message: only when the sync loop looks again', async () => {
    await serve(({ token }) => (token === 'a1' ? SOFT : undefined));
    const credentials = { homeserver: server.url, accessToken: 'a1', deviceId: 'D', userId: '@bot:x' };
    const { account, ask } = setUp({ credentials });
    await account.ensure(signal);
    await expect(ask()).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
    for (let i = 0; i < 9; i += 1) await expect(ask()).rejects.toMatchObject({ code: 'MATRIX_LOGGED_OUT' });
    expect(server.requests).toHaveLength(1);
    await account.ensure(signal);
    await expect(ask()).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
    expect(server.requests).toHaveLength(2);
  });

  it('is also noticed by whoami, when the file names no user', async () => {
    await serve(({ token }) => (token === 'a1' ? SOFT : undefined));
    const credentials = { homeserver: server.url, accessToken: 'a1', deviceId: null, userId: null };
    const { account } = setUp({ credentials, login: password });
    await expect(account.ensure(signal)).rejects.toMatchObject({ errcode: 'M_UNKNOWN_TOKEN' });
    expect((await account.ensure(signal)).accessToken).toBe('a2');
  });

  it('goes on by itself once somebody has logged in by hand', async () => {
    await serve(({ token }) => (token === 'a1' ? HARD : undefined));
    const credentials = { homeserver: server.url, accessToken: 'a1', deviceId: 'D', userId: '@bot:x' };
    let stored: Credentials = credentials;
    const { account, ask, clock } = setUp({ credentials, readCredentials: () => stored });
    await account.ensure(signal);
    await expect(ask()).rejects.toThrow();
    let waited = false;
    const waiting = account.waitForLogin(900_000, signal).then(() => {
      waited = true;
    });
    await clock.advance(60_000);
    expect(waited).toBe(false);
    stored = { ...credentials, accessToken: 'a5', deviceId: 'OTHER' };
    await clock.advance(5_000);
    await waiting;
    expect(await account.ensure(signal)).toMatchObject({ accessToken: 'a5', deviceId: 'OTHER' });
    expect(clock.pending()).toBe(0);
  });

  it('is not replaced by the session of another account', async () => {
    await serve(({ token }) => (token === 'a1' ? HARD : undefined));
    const credentials = { homeserver: server.url, accessToken: 'a1', deviceId: 'D', userId: '@bot:x' };
    const other = { ...credentials, accessToken: 'a5', userId: '@other:x' };
    const { account, ask } = setUp({ credentials, readCredentials: () => other });
    await account.ensure(signal);
    await expect(ask()).rejects.toThrow();
    expect((await account.ensure(signal)).accessToken).toBe('a1');
  });
});
