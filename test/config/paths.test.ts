import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { type AppPaths, type ResolveOptions, resolveHome, resolvePaths } from '../../src/config/paths.ts';
import { configCandidates, loadConfig } from '../../src/config/search.ts';
import { config, MINIMAL } from './helpers.ts';

let root = '';
let home = '';
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mmrelay-paths-'));
  home = join(root, 'home');
});

function paths(options: Partial<ResolveOptions> = {}): AppPaths {
  return resolvePaths({ cli: { home }, env: { HOME: root }, cwd: root, platform: 'linux', ...options });
}

function put(...parts: string[]): string {
  const path = join(...parts);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, 'x');
  return path;
}

describe('home', () => {
  const resolve = (cli: ResolveOptions['cli'], env: Record<string, string> = {}) =>
    resolveHome({ cli, env: { HOME: '/u', ...env }, cwd: '/w', platform: 'linux' });

  test.each<readonly [ResolveOptions['cli'], Record<string, string>, string, string]>([
    [{}, {}, '/u/.mmrelay', 'Platform defaults'],
    [{}, { MMRELAY_HOME: '~/x' }, '/u/x', 'MMRELAY_HOME env var'],
    [{}, { MMRELAY_HOME: ' ', MMRELAY_DATA_DIR: '/d', MMRELAY_BASE_DIR: '/b' }, '/b', 'MMRELAY_BASE_DIR env var'],
    [{ home: 'rel' }, { MMRELAY_HOME: '/x' }, '/w/rel', 'CLI (--home)'],
    [{ dataDir: '/d', baseDir: '/b' }, {}, '/b', 'CLI (--base-dir)'],
    [{ home: ' ', dataDir: '/d' }, {}, '/d', 'CLI (--data-dir)'],
  ])('%j %j', (cli, env, path, source) => expect(resolve(cli, env)).toMatchObject({ path, source, forbidden: null }));

  test.each(['/', '/etc', '/ETC', '/usr/', '/etc/../proc'])('%s is refused', (path) => {
    expect(resolve({ home: path }).forbidden).toContain('belongs to the system');
    expect(resolve({}, { MMRELAY_HOME: path }).forbidden).not.toBeNull();
  });

  test('a folder below is not', () => expect(resolve({ home: '/usr/local/mmrelay' }).forbidden).toBeNull());

  test('on Windows it is the folder of the Python relay, whatever lies elsewhere (C13)', () => {
    const env = { HOME: '/u', LOCALAPPDATA: '/u/AppData' };
    expect(resolveHome({ cli: {}, env, cwd: '/w', platform: 'win32' }).path).toBe('/u/AppData/mmrelay/mmrelay');
  });

  test('deprecated flags are named', () => {
    expect(resolve({ home: '/a', baseDir: '/b' }).notices).toEqual([
      '--home overrides --base-dir and --data-dir',
      '--base-dir is deprecated: use --home',
    ]);
  });
});

describe('layout', () => {
  test('of the guide; C7: nothing is created', () => {
    const found = paths();
    expect(
      Object.fromEntries(
        Object.entries(found).map(([key, value]) => [
          key,
          (value as { path?: string } | null)?.path?.slice(home.length),
        ]),
      ),
    ).toMatchObject({
      credentials: '/credentials.json',
      database: '/database/meshtastic.sqlite',
      store: '/store',
      logs: '/logs',
      logFile: '/logs/mmrelay.log',
      customPlugins: '/plugins/custom',
      communityPlugins: '/plugins/community',
    });
    expect(readdirSync(root)).toEqual([]);
  });

  test('of 1.3 and 1.4 is used in place', () => {
    const credentials = put(home, 'matrix', 'credentials.json');
    put(home, 'matrix', 'store', 'x.db');
    const found = paths();
    expect(found.credentials.path).toBe(credentials);
    expect(found.store.path).toBe(join(home, 'matrix', 'store'));
    expect(found.oldLayout).toHaveLength(2);
  });

  test.each([[['meshtastic.sqlite']], [['data', 'meshtastic.sqlite']]])('M9: a lone 1.2 database at %j', (parts) => {
    const database = put(home, ...parts);
    expect(paths().database).toEqual({ path: database, source: 'home (older layout)' });
    put(home, 'database', 'meshtastic.sqlite');
    expect(paths().database.source).toBe('home');
  });

  test('the empty folder for keys that every start of 1.4 made is not used', () => {
    mkdirSync(join(home, 'matrix', 'store'), { recursive: true });
    expect(paths().store).toEqual({ path: join(home, 'store'), source: 'home' });
    expect(paths().oldLayout).toEqual([]);
    put(home, 'matrix', 'store', 'x.db');
    expect(paths().store).toEqual({ path: join(home, 'matrix', 'store'), source: 'home (older layout)' });
  });

  test('C5: what the file says, with ~ and variables', () => {
    const made = config(
      `database: {path: ~/db.sqlite}\nlogging: {filename: $LOGS/a.log}\nmatrix: {credentials_path: ~/c/, e2ee: {store_path: keys}}\n${MINIMAL}`,
    );
    const found = paths({ config: made, env: { HOME: root, LOGS: '/var/l' } });
    expect(found.database.path).toBe(join(root, 'db.sqlite'));
    expect(found.logFile.path).toBe('/var/l/a.log');
    expect(found.credentials.path).toBe(join(root, 'c', 'credentials.json'));
    expect(found.store.path).toBe(join(root, 'keys'));
  });

  test('the log file: flag, MMRELAY_LOG_PATH, MMRELAY_LOG_FILE', () => {
    const env = { HOME: root, MMRELAY_LOG_PATH: '/p', MMRELAY_LOG_FILE: '/f' };
    expect(paths({ env, cli: { home, logfile: '/c' } }).logFile.path).toBe('/c');
    expect(paths({ env }).logFile.path).toBe('/p');
    expect(paths({ env: { HOME: root, MMRELAY_LOG_FILE: '/f' } }).logFile.path).toBe('/f');
  });

  test('credentials beside the configuration', () => {
    const beside = put(root, 'etc', 'credentials.json');
    expect(paths({ configFile: join(root, 'etc', 'config.yaml') }).credentials.path).toBe(beside);
  });

  test('legacy sources: folders with something in them, never the home itself', () => {
    mkdirSync(join(root, '.mmrelay'));
    expect(paths().legacySources).not.toContain(join(root, '.mmrelay'));
    put(root, '.mmrelay', 'credentials.json');
    expect(paths().legacySources).toContain(join(root, '.mmrelay'));
    expect(paths({ cli: {} }).legacySources).not.toContain(join(root, '.mmrelay'));
  });

  test('the ready file', () => {
    expect(paths().readyFile).toBeNull();
    expect(paths({ env: { HOME: root, MMRELAY_READY_FILE: '/run/r' } }).readyFile?.path).toBe('/run/r');
  });
});

describe('search for the file', () => {
  const search = (more: { cliPath?: string | null; env?: Record<string, string> } = {}) => ({
    cliPath: null,
    home,
    cwd: join(root, 'cwd'),
    platform: 'linux' as const,
    ...more,
    env: { HOME: root, ...more.env },
  });

  test('order', () => {
    expect(configCandidates(search({ cliPath: '~/c.yaml', env: { MMRELAY_CONFIG: '/e.yaml' } }))).toEqual([
      join(root, 'c.yaml'),
      '/e.yaml',
      join(home, 'config.yaml'),
      join(root, 'cwd', 'config.yaml'),
      join(root, '.mmrelay', 'config.yaml'),
      join(root, '.local', 'share', 'mmrelay', 'config.yaml'),
    ]);
  });

  test('C2: a named file that is absent is an error, not another file', () => {
    put(home, 'config.yaml');
    const loaded = loadConfig(search({ cliPath: join(root, 'no.yaml') }));
    expect(loaded).toMatchObject({
      config: null,
      file: join(root, 'no.yaml'),
      problems: [{ message: 'there is no such file' }],
    });
  });

  test('MMRELAY_CONFIG', () => {
    const file = join(root, 'e.yaml');
    writeFileSync(file, MINIMAL);
    expect(loadConfig(search({ env: { MMRELAY_CONFIG: file } })).file).toBe(file);
  });

  test('a directory in the way is skipped with a warning', () => {
    mkdirSync(join(home, 'config.yaml'), { recursive: true });
    mkdirSync(join(root, 'cwd'));
    writeFileSync(join(root, 'cwd', 'config.yaml'), MINIMAL);
    const loaded = loadConfig(search());
    expect(loaded.file).toBe(join(root, 'cwd', 'config.yaml'));
    expect(loaded.problems).toMatchObject([{ severity: 'warning', file: join(home, 'config.yaml') }]);
  });

  test('no file: where it was looked for, and what to do', () => {
    const loaded = loadConfig(search());
    expect(loaded.searched).toHaveLength(4);
    expect(loaded.problems).toMatchObject([{ severity: 'error', remedy: expect.stringContaining('mmrelay setup') }]);
  });
});
