import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkRef, parseOrigin, redactUrl } from '../../../src/plugins/sources/repository.ts';

const POLICY = { hosts: ['github.com', 'codeberg.org'], allowLocal: false };
const LOCAL = { ...POLICY, allowLocal: true };

describe('repository addresses', () => {
  it.each([
    ['https://github.com/Owner/Name.git', 'https://github.com/Owner/Name.git', 'github.com/owner/name'],
    ['https://github.com/owner/name/', 'https://github.com/owner/name/', 'github.com/owner/name'],
    ['ssh://git@codeberg.org:2222/a/b', 'ssh://git@codeberg.org:2222/a/b', 'codeberg.org_2222/a/b'],
    ['git@github.com:a/b.git', 'ssh://git@github.com/a/b.git', 'github.com/a/b'],
    ['git+ssh://git@github.com/a/b', 'ssh://git@github.com/a/b', 'github.com/a/b'],
    ['https://git.codeberg.org/a/b', 'https://git.codeberg.org/a/b', 'git.codeberg.org/a/b'],
    ['https://github.com/a/b?token=x#y', 'https://github.com/a/b', 'github.com/a/b'],
  ])('%s is taken', (address, url, folder) => {
    const origin = parseOrigin(address, POLICY);
    expect([origin.url, origin.folder.join('/')]).toEqual([url, folder]);
  });

  it.each([
    '',
    '-uhttps://github.com/a/b',
    '--upload-pack=touch /tmp/x',
    'http://github.com/a/b',
    'git://github.com/a/b',
    'ext::sh -c "touch /tmp/x"',
    'https://evil.org/a/b',
    'https://github.com.evil.org/a/b',
    'https://evilgithub.com/a/b',
    'https://github.com@evil.org/a/b',
    'ssh://-oProxyCommand=x@github.com/a/b',
    'ssh://-oProxyCommand=x/a/b',
    'git@-oProxyCommand=x:a/b',
    'https://user:secret@github.com/a/b',
    'https://github.com/',
    'https://github.com/a/..%2f..%2fb',
    'https://github.com/a/-b',
    'https://github.com/a/b\n--x',
    '/srv/git/x',
    'file:///srv/git/x',
  ])('%j is refused', (address) => {
    expect(() => parseOrigin(address, POLICY)).toThrow(expect.objectContaining({ code: 'PLUGIN_SOURCE' }));
  });

  it('local paths only when allowed, and absolute', () => {
    expect(parseOrigin('/srv/git/x', LOCAL)).toMatchObject({ url: 'file:///srv/git/x', protocol: 'file' });
    expect(() => parseOrigin('../x', LOCAL)).toThrow(/must be absolute/);
  });

  it('whatever is written, a folder stays below the root and git sees no option', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.string().map((path) => `https://github.com/${path}`),
        ),
        (address) => {
          let origin: ReturnType<typeof parseOrigin>;
          try {
            origin = parseOrigin(address, LOCAL);
          } catch (error) {
            expect(error).toHaveProperty('code', 'PLUGIN_SOURCE');
            return;
          }
          expect(origin.url).toMatch(/^(?:https|ssh|file):\/\//);
          for (const part of origin.folder) expect(part).toMatch(/^[a-z0-9_~][\w.~-]*$/);
        },
      ),
    );
  });

  it('secrets are not shown', () => {
    expect(redactUrl('https://bob:pw@ex.org/a?access_token=abc&x=1')).toBe('https://ex.org/a?access_token=…&x=1');
  });
});

describe('refs', () => {
  it.each([
    ['commit', 'abc1234'],
    ['commit', 'A'.repeat(40)],
    ['tag', 'v1.0.0'],
    ['branch', 'feature/x_y'],
  ] as const)('%s %s', (kind, name) => {
    expect(checkRef({ kind, name })).toEqual({ kind, name });
  });

  it.each([
    ['commit', 'abc123'],
    ['commit', 'HEAD'],
    ['tag', '-x'],
    ['tag', '--upload-pack=x'],
    ['branch', 'a..b'],
    ['branch', 'a b'],
    ['branch', 'a:b'],
    ['branch', ''],
    ['branch', '+main'],
  ] as const)('%s %j is refused', (kind, name) => {
    expect(() => checkRef({ kind, name })).toThrow(expect.objectContaining({ code: 'PLUGIN_SOURCE' }));
  });
});
