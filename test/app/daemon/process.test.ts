import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readManifest } from '../../../src/app/migrate/manifest.ts';
import { runMigration } from '../../../src/app/migrate/run-migration.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { CREDENTIALS, home13, scratch } from '../../support/old-homes.ts';
import { relayWorld, until } from '../../support/relay-world.ts';

const LIMIT_MS = 120_000;

function cli(home: string, argv: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const all = { PATH: process.env.PATH ?? '', HOME: home, MMRELAY_HOME: home, ...env };
  return spawn(process.execPath, ['src/main.ts', ...argv], { env: all, stdio: ['ignore', 'pipe', 'pipe'] });
}

function ended(child: ChildProcess): Promise<number | NodeJS.Signals> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 'SIGKILL'));
  });
}

test(
  'a real process: alive for the probe, ends on SIGTERM in time with 0; killed, it is dead for the probe and starts again',
  async () => {
    const world = await relayWorld();
    onTestFinished(() => world.close());
    const env = { MMRELAY_READY_FILE: join(world.home, 'run', 'ready') };
    const probe = () => ended(cli(world.home, ['doctor', '--liveness'], env));
    const start = async (): Promise<ChildProcess> => {
      const daemon = cli(world.home, [], env);
      await until(() => readyPid(env.MMRELAY_READY_FILE) === daemon.pid, 'the ready file of this process', 60_000);
      return daemon;
    };

    const first = await start();
    expect(await probe()).toBe(0);
    first.kill('SIGKILL');
    expect(await ended(first)).toBe('SIGKILL');
    expect(existsSync(env.MMRELAY_READY_FILE), 'left behind by the kill').toBe(true);
    expect(await probe()).toBe(1);

    const second = await start();
    const asked = performance.now();
    const end = ended(second);
    second.kill('SIGTERM');
    expect(await end).toBe(0);
    expect(performance.now() - asked).toBeLessThan(10_000);
    expect(existsSync(env.MMRELAY_READY_FILE)).toBe(false);
    expect(existsSync(join(world.home, 'mmrelay.lock'))).toBe(false);
  },
  LIMIT_MS,
);

function readyPid(path: string): number {
  try {
    return (JSON.parse(readFileSync(path, 'utf8')) as { pid: number }).pid;
  } catch {
    return 0; // not there yet
  }
}

test.each([1, 4, 7])(
  'a migration killed -9 before step %i is finished by the next run',
  (step) => {
    const home = join(scratch(), 'home');
    mkdirSync(home, { recursive: true });
    home13(home);
    const child = spawnSync(process.execPath, ['test/app/migrate/migrate-child.ts', home, String(step)]);
    expect(child.signal).toBe('SIGKILL');
    expect(existsSync(join(home, 'mmrelay.lock')), 'the lock of the dead').toBe(true);
    expect(readManifest(home)?.phase).toMatch(/planned|staged|switched/);
    expect(runMigration({ home, from: [], clock: systemClock, dryRun: false, force: false }).outcome).toBe('resumed');
    expect(readFileSync(join(home, 'credentials.json'), 'utf8')).toBe(CREDENTIALS);
    expect(existsSync(join(home, 'matrix'))).toBe(false);
    expect(readManifest(home)?.phase).toBe('done');
  },
  LIMIT_MS,
);
