import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { runDaemon } from '../../../src/app/daemon/run-daemon.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { loadConfig } from '../../../src/config/search.ts';
import type { ExitCode } from '../../../src/util/exit-code.ts';
import { oldDatabase, put } from '../../support/old-homes.ts';
import { oldRelayOn } from '../../support/old-relay-process.ts';
import { type RelayWorld, relayWorld, until } from '../../support/relay-world.ts';

let world: RelayWorld;
beforeEach(async () => {
  world = await relayWorld();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await world.close();
});

interface Run {
  readonly lines: string[];
  readonly stop: AbortController;
  readonly done: Promise<ExitCode>;
  readonly ready: string;
}

function start(change: { readonly format?: 'json' | 'pretty'; readonly terminal?: boolean } = {}): Run {
  const env = { MMRELAY_READY_FILE: join(world.home, 'run', 'ready') };
  const readConfig = () => loadConfig({ cliPath: world.configFile, home: world.home, env, cwd: world.home });
  const { config, secrets } = readConfig();
  if (config === null) throw new Error('the test configuration is wrong');
  const lines: string[] = [];
  const stop = new AbortController();
  const paths = resolvePaths({ cli: { home: world.home }, env, cwd: world.home, config });
  const write = (line: string): void => {
    lines.push(line);
  };
  const logging = { ...config.logging, format: change.format ?? 'json' };
  const done = runDaemon({
    config: { ...config, logging },
    paths,
    secrets,
    write,
    terminal: change.terminal ?? false,
    stopSignal: stop.signal,
    readConfig: () => {
      const found = readConfig();
      return found.config === null
        ? found
        : { ...found, config: { ...found.config, logging: { ...found.config.logging, format: 'json' } } };
    },
  });
  return { lines, stop, done, ready: env.MMRELAY_READY_FILE };
}

const ask = async (path: string): Promise<{ readonly status: number; readonly text: string }> => {
  const response = await fetch(`http://127.0.0.1:${world.healthPort}${path}`);
  return { status: response.status, text: await response.text() };
};

test('ready file, health, metrics, one log line per record, no secret in it, gone after the stop', async () => {
  const run = start();
  await until(() => existsSync(run.ready), 'the ready file');
  const state = await until(() => {
    const content = JSON.parse(readFileSync(run.ready, 'utf8')) as { state: string; pid: number };
    return content.state === 'ready' ? content : null;
  }, 'state ready');
  expect(state.pid).toBe(process.pid);
  expect(statSync(join(world.home, 'mmrelay.lock')).isFile()).toBe(true);

  expect((await ask('/healthz')).status).toBe(200);
  const readyz = await ask('/readyz');
  expect(readyz.status).toBe(200);
  expect(JSON.parse(readyz.text).checks.map((check: { name: string }) => check.name)).toEqual([
    'store',
    'matrix',
    'radio:default',
  ]);
  const metrics = (await ask('/metrics')).text;
  for (const wanted of [
    /^mmrelay_build_info\{version=".+"\} 1$/m,
    /^mmrelay_radio_link_up\{radio="default"\} 1$/m,
    /^mmrelay_matrix_sync_age_seconds \d/m,
    /^mmrelay_decrypt_failures_total 0$/m,
    /^process_resident_memory_bytes \d+$/m,
    /^mmrelay_store_bytes\{part="file"\} \d+$/m,
  ])
    expect(metrics).toMatch(wanted);

  run.stop.abort();
  expect(await run.done).toBe(0);
  expect(existsSync(run.ready)).toBe(false);
  expect(existsSync(join(world.home, 'mmrelay.lock'))).toBe(false);
  await expect(ask('/healthz')).rejects.toThrow();
  for (const line of run.lines) {
    expect(line.endsWith('\n')).toBe(true);
    expect(line.indexOf('\n')).toBe(line.length - 1);
  }
  expect(run.lines.join('')).not.toContain('relay-password');
  expect(run.lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual(
    expect.arrayContaining(['Starting MMRelay', 'Relay startup complete: both sides are up', 'Shutdown complete.']),
  );
});

test('SIGHUP takes over levels and prefixes, and says what needs a restart; a broken file changes nothing (R7)', async () => {
  const run = start();
  await until(() => existsSync(run.ready), 'the ready file');
  const said = (words: string) => run.lines.find((line) => line.includes(words));

  writeFileSync(world.configFile, 'matrix: [');
  process.emit('SIGHUP');
  expect(await until(() => said('not valid'), 'a complaint')).toContain('config.yaml:');

  writeFileSync(world.configFile, world.config('logging:\n  level: warn\ndatabase:\n  busy_timeout_ms: 9\n'));
  process.emit('SIGHUP');
  expect(await until(() => said('need a restart'), 'the warning')).toContain('database');
  run.stop.abort();
  expect(await run.done).toBe(0);
  expect(said('Starting MMRelay')).toBeDefined();
  expect(said('Shutdown complete.'), 'info is switched off').toBeUndefined();
});

test('stopped while both sides are still connecting, it ends at once and with 0 (R3)', async () => {
  await Promise.all([world.radio.close(), world.homeserver.close()]);
  const run = start();
  await until(() => existsSync(join(world.home, 'mmrelay.lock')), 'the lock');
  const askedMs = performance.now();
  run.stop.abort();
  expect(await run.done).toBe(0);
  expect(performance.now() - askedMs).toBeLessThan(5_000);
  expect(existsSync(join(world.home, 'mmrelay.lock'))).toBe(false);
});

test('a second daemon of the same home is refused with exit code 5 and the pid of the first (R8)', async () => {
  const first = start();
  await until(() => existsSync(join(world.home, 'mmrelay.lock')), 'the lock');
  const second = start();
  expect(await second.done).toBe(5);
  expect(second.lines.join('')).toContain(`pid ${process.pid}`);
  first.stop.abort();
  expect(await first.done).toBe(0);
});

test('an exception that nobody caught is logged whole and ends with 1', async () => {
  const run = start();
  await until(() => existsSync(run.ready), 'the ready file');
  process.emit('uncaughtException', new TypeError('a defect made for this test'));
  expect(await run.done).toBe(1);
  const line = run.lines.find((text) => text.includes('This is a defect of mmrelay')) ?? '';
  expect(line).toContain('a defect made for this test');
  expect(line).toContain('run-daemon.test.ts');
  expect(existsSync(run.ready)).toBe(false);
});

test('a port that is taken costs the metrics, not the relay', async () => {
  const holder = await import('node:http').then(({ createServer }) =>
    createServer().listen(world.healthPort, '127.0.0.1'),
  );
  const run = start();
  await until(() => existsSync(run.ready), 'the ready file');
  expect(run.lines.join('')).toContain('Health and metrics cannot be served');
  run.stop.abort();
  expect(await run.done).toBe(0);
  await new Promise((resolve) => holder.close(resolve));
});

test('a start that fails leaves no ready file of a killed predecessor behind (R2)', async () => {
  put(join(world.home, 'run', 'ready'), '{"pid":1,"state":"ready"}');
  put(join(world.home, 'credentials.json'), '{}');
  const run = start();
  expect(await run.done).toBe(4);
  expect(existsSync(run.ready)).toBe(false);
});

test.skipIf(process.platform !== 'linux')(
  'beside the Python relay it does not start, and its database is as it was',
  async () => {
    const database = join(world.home, 'database', 'meshtastic.sqlite');
    oldDatabase(database);
    const before = readFileSync(database);
    const relay = await oldRelayOn(database);
    const run = start();
    expect(await run.done).toBe(5);
    expect(run.lines.join('')).toContain(`The Python relay (pid ${relay.pid}) still runs on ${world.home}`);
    expect(readFileSync(database)).toEqual(before);
    expect(existsSync(join(world.home, 'mmrelay.lock'))).toBe(false);
  },
);

test.each([
  ['', true],
  ['1', false],
])('NO_COLOR=%s on a terminal: colours %s', async (value, coloured) => {
  vi.stubEnv('NO_COLOR', value);
  put(join(world.home, 'credentials.json'), '{}');
  const run = start({ format: 'pretty', terminal: true });
  expect(await run.done).toBe(4);
  expect(run.lines.join('').includes('\u001b[')).toBe(coloured);
});
