import { describe, expect, it } from 'vitest';
import { normalizeHomeserverUrl, normalizeUserId } from '../../../src/matrix/auth/user-id.ts';

describe('user id', () => {
  it.each([
    ['bot', 'https://m.ex.org:8448', '@bot:m.ex.org'],
    ['@bot:other:8448', 'https://m.ex.org', '@bot:other'],
    ['@bot', 'ex.org', '@bot:ex.org'],
    ['bot:server', 'https://m.ex.org', '@bot:server'],
    [' @bot:server ', 'https://m.ex.org', '@bot:server'],
    ['bot:[2001:db8::1]:8448', 'https://m', '@bot:[2001:db8::1]'],
    ['bot:2001:db8::1', 'https://m', '@bot:[2001:db8::1]'],
    ['bot', 'https://[2001:db8::1]:8448', '@bot:[2001:db8::1]'],
    ['bot:', 'https://m.ex.org', '@bot:m.ex.org'],
  ])('%s on %s is %s', (text, homeserver, expected) => {
    expect(normalizeUserId(text, homeserver)).toBe(expected);
  });

  it.each(['', '  ', '@', ':server', '@:server'])('%j is no user', (text) => {
    expect(normalizeUserId(text, 'https://m.ex.org')).toBeNull();
  });

  it('adds the scheme to a homeserver where it is missing, and takes slashes off', () => {
    expect(normalizeHomeserverUrl(' ex.org/ ')).toBe('https://ex.org');
    expect(normalizeHomeserverUrl('http://localhost:8008//')).toBe('http://localhost:8008');
  });
});
