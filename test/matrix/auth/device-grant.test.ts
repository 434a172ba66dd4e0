import { afterEach, describe, expect, it } from 'vitest';
import { type DevicePrompt, logInByDeviceGrant } from '../../../src/matrix/auth/device-grant.ts';
import { loginOffer } from '../../../src/matrix/auth/discovery.ts';
import { createHttp } from '../../../src/matrix/http.ts';
import { systemClock } from '../../../src/util/clock.ts';
import type { JsonObject } from '../../../src/util/json.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { type FakeOAuth, fakeOAuth } from '../../support/fake-oauth.ts';

let oauth: FakeOAuth;
afterEach(() => oauth.close());

const clock = new ManualClock();
const context = { http: createHttp(systemClock), timeoutMs: 2000, clock };

/** Until `count` questions were answered and the next one waits for its time. */
async function asked(count: number): Promise<void> {
  while (oauth.tokenForms.length < count || clock.pending() === 0) await new Promise((done) => setImmediate(done));
}

async function logIn(answers: readonly JsonObject[], metadata: 'stable' | 'unstable' | 'issuer' = 'stable') {
  oauth = await fakeOAuth({ answers, metadata });
  const offer = await loginOffer(oauth.url, context);
  if (offer.oauth === null) throw new Error('no OAuth server was found');
  const shown: DevicePrompt[] = [];
  const result = logInByDeviceGrant(offer.oauth, {
    ...context,
    baseUrl: oauth.url,
    deviceId: 'ABCDEFGHIJ',
    show: (prompt) => shown.push(prompt),
  });
  result.catch(() => undefined); // looked at later
  return { offer, shown, result };
}

const GRANTED = { access_token: 'at1', refresh_token: 'rt1', expires_in: 300 };

describe('OAuth device flow', () => {
  it.each([
    ['stable', 'urn:matrix:client:api:* urn:matrix:client:device:ABCDEFGHIJ'],
    ['unstable', 'urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:ABCDEFGHIJ'],
    ['issuer', 'urn:matrix:org.matrix.msc2967.client:api:* urn:matrix:org.matrix.msc2967.client:device:ABCDEFGHIJ'],
  ] as const)('registers, shows the address, waits for the yes (metadata: %s)', async (metadata, scope) => {
    const { offer, shown, result } = await logIn([{ error: 'authorization_pending' }, GRANTED], metadata);
    await asked(0);
    expect(offer).toMatchObject({ password: false, sso: false, types: [] });
    expect(shown).toEqual([
      {
        address: 'https://id.test/link',
        userCode: 'AB-CD',
        completeAddress: 'https://id.test/link?c=ABCD',
        validMs: 60_000,
      },
    ]);
    await clock.advance(5_000);
    await asked(1);
    await clock.advance(5_000);
    expect(await result).toEqual({
      homeserver: oauth.url,
      accessToken: 'at1',
      deviceId: 'ABCDEFGHIJ',
      userId: null,
      renewal: {
        refreshToken: 'rt1',
        expiresAtMs: clock.now() + 300_000,
        oauth: { clientId: 'client1', tokenEndpoint: `${oauth.url}/token`, revocationEndpoint: `${oauth.url}/revoke` },
      },
    });
    expect(oauth.registration).toMatchObject({
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token', 'urn:ietf:params:oauth:grant-type:device_code'],
    });
    expect(oauth.scope).toBe(scope);
    expect(oauth.tokenForms[0]).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: 'dc1',
      client_id: 'client1',
    });
  });

  it('asks less often when told to slow down, and for good', async () => {
    const { result } = await logIn([{ error: 'slow_down' }, { error: 'authorization_pending' }, GRANTED]);
    await asked(0);
    await clock.advance(5_000);
    await asked(1);
    await clock.advance(9_999);
    expect(oauth.tokenForms).toHaveLength(1);
    await clock.advance(1);
    await asked(2);
    await clock.advance(9_999);
    expect(oauth.tokenForms).toHaveLength(2);
    await clock.advance(1);
    expect((await result).accessToken).toBe('at1');
  });

  it('goes on through an outage', async () => {
    const { result } = await logIn([{ status: 503 }, GRANTED]);
    await asked(0);
    await clock.advance(5_000);
    await asked(1);
    await clock.advance(10_000);
    expect((await result).accessToken).toBe('at1');
  });

  it.each([
    ['declined', [{ error: 'access_denied' }], 'MATRIX_LOGIN_REFUSED', /declined in the browser/],
    ['expired at the server', [{ error: 'expired_token' }], 'MATRIX_LOGIN_EXPIRED', /within 1 minute:/],
    [
      'refused',
      [{ error: 'invalid_grant', error_description: 'no such code' }],
      'MATRIX_LOGIN_REFUSED',
      /no such code/,
    ],
    ['without a token', [{ token_type: 'Bearer' }], 'MATRIX_LOGIN_REFUSED', /no access token/],
  ])('ends with words when it was %s', async (_, answers, code, words) => {
    const { result } = await logIn(answers);
    await asked(0);
    await clock.advance(5_000);
    await expect(result).rejects.toMatchObject({ code, message: expect.stringMatching(words) });
  });

  it('ends when nobody answers, without a last question after the end', async () => {
    const pending = Array.from({ length: 20 }, () => ({ error: 'authorization_pending' }));
    const { result } = await logIn(pending);
    for (let count = 0; count < 11; count += 1) {
      await asked(count);
      await clock.advance(5_000);
    }
    await expect(result).rejects.toMatchObject({ code: 'MATRIX_LOGIN_EXPIRED' });
    expect(oauth.tokenForms).toHaveLength(11);
  });
});
