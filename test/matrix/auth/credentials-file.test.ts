import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readCredentials, writeCredentials } from '../../../src/matrix/auth/credentials-file.ts';

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmrelay-credentials-'));
  path = join(folder, 'matrix', 'credentials.json');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const credentials = { homeserver: 'https://m.ex.org', accessToken: 'syt_1', deviceId: 'DEV', userId: '@bot:ex.org' };

describe('credentials.json', () => {
  it('is written for the owner only, keys in their order, no newline at the end, nothing left beside it', () => {
    writeCredentials(path, credentials);
    expect(readFileSync(path, 'utf8')).toBe(
      '{\n  "homeserver": "https://m.ex.org",\n  "access_token": "syt_1",\n  "device_id": "DEV",\n  "user_id": "@bot:ex.org"\n}',
    );
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, 'matrix'))).toEqual(['credentials.json']);
    expect(readCredentials(path)).toEqual(credentials);
  });

  it('keeps keys it does not know, tightens the mode, leaves out an unknown user', () => {
    writeCredentials(path, credentials);
    writeFileSync(path, '{"extra": {"a": 1}, "access_token": "old", "bot_user_id": "@x:y"}');
    chmodSync(path, 0o644);
    writeCredentials(path, { ...credentials, deviceId: null, userId: null });
    expect(Object.entries(JSON.parse(readFileSync(path, 'utf8')))).toEqual([
      ['homeserver', 'https://m.ex.org'],
      ['access_token', 'syt_1'],
      ['device_id', null],
      ['extra', { a: 1 }],
    ]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['Matrix', { refreshToken: 'r1', expiresAtMs: null, oauth: null }],
    [
      'OAuth',
      {
        refreshToken: 'r1',
        expiresAtMs: 1_800_000_000_000,
        oauth: { clientId: 'c', tokenEndpoint: 'https://id/token', revocationEndpoint: null },
      },
    ],
  ])('keeps what renews a session of %s, and forgets it with the next login', (_, renewal) => {
    writeCredentials(path, { ...credentials, renewal });
    expect(readCredentials(path)).toEqual({ ...credentials, renewal });
    writeCredentials(path, credentials);
    expect(Object.keys(JSON.parse(readFileSync(path, 'utf8')))).toEqual([
      'homeserver',
      'access_token',
      'device_id',
      'user_id',
    ]);
  });

  it('is read tolerantly: BOM, blank device, bot_user_id', () => {
    writeCredentials(path, credentials);
    writeFileSync(path, '\uFEFF{"homeserver":" https://a ","access_token":"t","device_id":" ","bot_user_id":"@b:c"}');
    expect(readCredentials(path)).toEqual({
      homeserver: 'https://a',
      accessToken: 't',
      deviceId: null,
      userId: '@b:c',
    });
  });

  it.each([
    ['not JSON', '{"access_token": "syt_secret', 'MATRIX_CREDENTIALS_INVALID', 'not valid JSON'],
    ['a list', '[]', 'MATRIX_CREDENTIALS_INVALID', 'JSON object'],
    ['lacking a token', '{"homeserver":"https://a","access_token":" "}', 'MATRIX_CREDENTIALS_INVALID', 'access_token'],
    ['lacking all', '{}', 'MATRIX_CREDENTIALS_INVALID', 'homeserver and access_token'],
  ])('tells what is wrong with a file that is %s, without quoting it', (_, content, code, words) => {
    writeCredentials(path, credentials);
    writeFileSync(path, content);
    expect(() => readCredentials(path)).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(words) }),
    );
    expect(() => readCredentials(path)).not.toThrow('syt_secret');
  });

  it('comes back as it was written, and whatever else is in it, is read or refused', () => {
    const text = fc.string({ minLength: 1 }).map((value) => `x${value}x`);
    const oauth = fc.record({
      clientId: text,
      tokenEndpoint: text,
      revocationEndpoint: fc.option(text),
    });
    const renewal = fc.record({
      refreshToken: text,
      expiresAtMs: fc.option(fc.nat()),
      oauth: fc.option(oauth),
    });
    fc.assert(
      fc.property(text, fc.option(renewal, { nil: undefined }), (accessToken, renewal) => {
        writeCredentials(path, { ...credentials, accessToken, renewal });
        expect(readCredentials(path)).toEqual({ ...credentials, accessToken, renewal });
      }),
      { numRuns: 50 },
    );
    const keys = ['homeserver', 'access_token', 'device_id', 'user_id', 'refresh_token', 'expires_at_ms', 'oauth'];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...keys), fc.jsonValue()), (content) => {
        writeFileSync(path, JSON.stringify(content));
        try {
          expect(readCredentials(path).accessToken).toBe(String(content.access_token).trim());
        } catch (error) {
          expect(error).toMatchObject({ code: 'MATRIX_CREDENTIALS_INVALID' });
        }
      }),
    );
  });

  it('tells of a file that is not there, and of a place that cannot be written', () => {
    expect(() => readCredentials(path)).toThrow(expect.objectContaining({ code: 'MATRIX_CREDENTIALS_UNREADABLE' }));
    writeFileSync(join(folder, 'file'), '');
    const under = join(folder, 'file', 'credentials.json');
    expect(() => writeCredentials(under, credentials)).toThrow(
      expect.objectContaining({ code: 'MATRIX_CREDENTIALS_UNWRITABLE', message: expect.stringContaining(under) }),
    );
  });
});
