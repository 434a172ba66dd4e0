import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ReadyFile } from '../../src/observe/ready-file.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';

let folder = '';
let path = '';
let alive = true;
let state = 'ready';
let errors = 0;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmrelay-ready-'));
  path = join(folder, 'ready');
  alive = true;
  state = 'ready';
  errors = 0;
});

function open(clock: ManualClock, heartbeatMs: number | null = 60_000): ReadyFile {
  const logger = {
    ...silentLogger,
    error: () => {
      errors += 1;
    },
  };
  return new ReadyFile({ path, clock, logger, heartbeatMs, alive: () => alive, describe: () => ({ state }), pid: 42 });
}

const mtime = (): number => statSync(path).mtimeMs;

describe('ready file', () => {
  test('R2: a left-over of a killed process is removed first thing', () => {
    writeFileSync(path, '');
    open(new ManualClock());
    expect(existsSync(path)).toBe(false);
  });

  test('content, mode, no left-over beside it', () => {
    const clock = new ManualClock();
    open(clock).show();
    expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual({
      pid: 42,
      started: new Date(clock.now()).toISOString(),
      state: 'ready',
    });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['ready']);
  });

  test('R1: touched only while something moves', async () => {
    const clock = new ManualClock();
    open(clock).show();
    await clock.advance(60_000);
    expect(mtime()).toBe(clock.now());
    const last = mtime();
    alive = false;
    await clock.advance(180_000);
    expect(mtime()).toBe(last);
    alive = true;
    await clock.advance(60_000);
    expect(mtime()).toBe(clock.now());
  });

  test('comes back when somebody removed it', async () => {
    const clock = new ManualClock();
    open(clock).show();
    rmSync(path);
    await clock.advance(60_000);
    expect(existsSync(path)).toBe(true);
  });

  test('update writes new states, but not before show nor after stop', async () => {
    const clock = new ManualClock();
    const file = open(clock);
    file.update();
    expect(existsSync(path)).toBe(false);
    file.show();
    state = 'degraded';
    file.update();
    expect(readFileSync(path, 'utf8')).toContain('degraded');
    file.stop();
    file.update();
    await clock.advance(600_000);
    expect(existsSync(path)).toBe(false);
    expect(clock.pending()).toBe(0);
  });

  test('without heartbeat it is written once', async () => {
    const clock = new ManualClock();
    open(clock, null).show();
    expect(clock.pending()).toBe(0);
  });

  test('S3: folders that exist keep their mode; missing ones are made', () => {
    chmodSync(folder, 0o755);
    path = join(folder, 'new', 'ready');
    open(new ManualClock()).show();
    expect(statSync(folder).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, 'new')).mode & 0o777).toBe(0o700);
  });

  test('a path that cannot be written is an error in the log, nothing more', () => {
    mkdirSync(join(path, 'x'), { recursive: true });
    open(new ManualClock()).show();
    expect(errors).toBeGreaterThan(0);
  });
});
