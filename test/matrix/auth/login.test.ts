import { afterEach, describe, expect, it } from 'vitest';
import { discoverHomeserver } from '../../../src/matrix/auth/discovery.ts';
import { loginWithPassword, logout, whoami } from '../../../src/matrix/auth/login.ts';
import { createHttp } from '../../../src/matrix/http.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { type ScriptedAnswer, type ScriptedServer, scriptedServer } from '../../support/scripted-server.ts';

let server: ScriptedServer;
afterEach(() => server.close());

const context = { http: createHttp(systemClock), timeoutMs: 2000, clock: systemClock };
const serve = async (answer: ScriptedAnswer): Promise<void> => {
  server = await scriptedServer(() => answer);
};
const login = (deviceId: string | null) => {
  const settings = { homeserver: 'https://ex.org', user: 'bot', password: 'pw', deviceName: 'mmrelay' };
  return loginWithPassword(settings, { ...context, baseUrl: server.url, deviceId });
};

describe('discovery', () => {
  it('follows the well-known file', async () => {
    await serve({ body: { 'm.homeserver': { base_url: 'https://matrix.ex.org/' } } });
    expect(await discoverHomeserver(server.url, context)).toBe('https://matrix.ex.org');
  });

  it.each<[string, ScriptedAnswer]>([
    ['a 404', { status: 404, body: 'no' }],
    ['a page', { body: '<html></html>' }],
    ['nonsense', { body: { 'm.homeserver': { base_url: 'file:///etc' } } }],
    ['nothing', { body: {} }],
  ])('keeps the given URL on %s', async (_, answer) => {
    await serve(answer);
    expect(await discoverHomeserver(`${server.url}/`, context)).toBe(server.url);
  });
});

describe('password login', () => {
  it('reuses the device, names it, and takes what the server says', async () => {
    await serve({ body: { access_token: 'new', device_id: 'DEV', user_id: '@bot:real.org' } });
    const expected = { homeserver: server.url, accessToken: 'new', deviceId: 'DEV', userId: '@bot:real.org' };
    expect(await login('DEV')).toEqual(expected);
    expect(server.requests[0]?.body).toEqual({
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'bot' },
      password: 'pw',
      initial_device_display_name: 'mmrelay',
      device_id: 'DEV',
    });
    await login(null);
    expect(server.requests[1]?.body).not.toHaveProperty('device_id');
  });

  it('where the homeserver ends such sessions, logs in again on the same device as one that is renewed', async () => {
    server = await scriptedServer(({ body }) => ({
      body: {
        access_token: body.refresh_token === true ? 'short' : 'long',
        ...(body.refresh_token === true ? { refresh_token: 'r1' } : {}),
        expires_in_ms: 300_000,
        device_id: 'DEV',
        user_id: '@bot:ex.org',
      },
    }));
    const { renewal, ...session } = await login(null);
    expect(session).toMatchObject({ accessToken: 'short', deviceId: 'DEV' });
    expect(renewal).toMatchObject({ refreshToken: 'r1', oauth: null });
    expect((renewal?.expiresAtMs ?? 0) - Date.now()).toBeGreaterThan(290_000);
    expect(server.requests.map(({ body }) => [body.device_id, body.refresh_token])).toEqual([
      [undefined, undefined],
      ['DEV', true],
    ]);
  });

  it('a wrong password is final, a rate limit names its pause, a proxy page is an outage, no login API has a remedy', async () => {
    const answers: ScriptedAnswer[] = [
      { status: 403, body: { errcode: 'M_FORBIDDEN', error: 'Invalid password' } },
      { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' }, headers: { 'Retry-After': '7' } },
      { status: 403, body: '<html>firewall</html>' },
      { status: 404, body: { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' } },
    ];
    server = await scriptedServer(() => answers.shift() ?? { body: {} });
    await expect(login(null)).rejects.toMatchObject({
      code: 'MATRIX_LOGIN_REFUSED',
      retry: { kind: 'never' },
      message: expect.stringMatching(/^Could not log in as bot: /),
    });
    await expect(login(null)).rejects.toMatchObject({ retry: { kind: 'after', ms: 7000 } });
    await expect(login(null)).rejects.toMatchObject({ code: 'MATRIX_UNAVAILABLE', retry: { kind: 'later' } });
    await expect(login(null)).rejects.toMatchObject({
      code: 'MATRIX_LOGIN_UNSUPPORTED',
      message: expect.stringContaining('mmrelay auth login'),
    });
  });
});

describe('whoami and logout', () => {
  it('whoami names user and device', async () => {
    await serve({ body: { user_id: '@a:b', device_id: 'D' } });
    const credentials = { homeserver: server.url, accessToken: 'tok' };
    expect(await whoami(credentials, context)).toEqual({ userId: '@a:b', deviceId: 'D' });
    expect(server.requests[0]).toMatchObject({ token: 'tok', path: '/_matrix/client/v3/account/whoami' });
  });

  it('a token that is already dead is logged out', async () => {
    await serve({ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'x' } });
    await logout({ homeserver: server.url, accessToken: 't', deviceId: null, userId: null }, context);
    expect(server.count('/logout')).toBe(1);
  });
});
