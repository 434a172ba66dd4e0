import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSsoCallback, type SsoCallback } from '../../../src/matrix/auth/sso-callback.ts';

let callback: SsoCallback;
let back: URL;
beforeEach(async () => {
  callback = await openSsoCallback('https://m.ex.org');
  back = new URL(new URL(callback.address).searchParams.get('redirectUrl') ?? '');
});
afterEach(() => callback.close());

const withToken = (base: URL, token: string): string => `${base}?loginToken=${token}`;

describe('single sign-on', () => {
  it('begins at the homeserver and comes back to loopback, to a place that cannot be guessed', async () => {
    expect(callback.address).toMatch(/^https:\/\/m\.ex\.org\/_matrix\/client\/v3\/login\/sso\/redirect\?redirectUrl=/);
    expect(back.hostname).toBe('127.0.0.1');
    expect(back.pathname.length).toBeGreaterThan(20);
    const other = await openSsoCallback('https://m.ex.org');
    expect(new URL(other.address).search).not.toBe(new URL(callback.address).search);
    await other.close();
  });

  it('takes the token the browser brings, and shows a page that ends it', async () => {
    const page = await fetch(withToken(back, 't1'));
    expect(page.status).toBe(200);
    expect(page.headers.get('Referrer-Policy')).toBe('no-referrer');
    expect(await page.text()).toContain('mmrelay is logged in');
    expect(await callback.token).toBe('t1');
  });

  it('takes none from elsewhere: another path, no token, a POST', async () => {
    const wrong = [
      fetch(withToken(new URL('/', back), 'evil')),
      fetch(withToken(new URL(`${back.pathname}x`, back), 'evil')),
      fetch(back),
      fetch(`${back}?loginToken=`),
      fetch(withToken(back, 'evil'), { method: 'POST' }),
    ];
    for (const response of await Promise.all(wrong)) {
      expect(response.status).toBe(404);
      await response.text();
    }
    await (await fetch(withToken(back, 'good'))).text();
    expect(await callback.token).toBe('good');
  });

  it('reads the token from the address of a page that another machine could not show', () => {
    expect(callback.tokenIn(` ${withToken(back, 't2')}\n`)).toBe('t2');
    expect(callback.tokenIn('http://127.0.0.1:1/other?loginToken=t2')).toBeNull();
    expect(callback.tokenIn('what?')).toBeNull();
    expect(callback.tokenIn('')).toBeNull();
  });

  it('finds every token in our own address, and none in any other text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 1 }), (token) => {
        expect(callback.tokenIn(withToken(back, encodeURIComponent(token)))).toBe(token);
        expect(callback.tokenIn(token)).toBeNull();
      }),
    );
  });
});
