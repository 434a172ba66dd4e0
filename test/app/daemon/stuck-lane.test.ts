import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createDaemon } from '../../../src/app/daemon/daemon.ts';
import { checkLiveness } from '../../../src/app/doctor/liveness.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { acquireLock } from '../../../src/observe/process-lock.ts';
import { ReadyFile } from '../../../src/observe/ready-file.ts';
import { Engine } from '../../../src/relay/engine.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { config as configOf } from '../../config/helpers.ts';
import { scratch } from '../../support/old-homes.ts';

const MINUTE_MS = 60_000;
const CONFIG = JSON.stringify({
  meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: 1 },
  matrix: { homeserver: 'http://127.0.0.1:1', access_token: 'token', bot_user_id: '@relay:ex.org' },
  matrix_rooms: [{ id: '!room:ex.org', meshtastic_channel: 0 }],
});

test('a stuck lane stops the heartbeat, and the probe asks for a restart; both sides being down does not', async () => {
  const home = scratch();
  const env = { MMRELAY_READY_FILE: join(home, 'run', 'ready') };
  const clock = new ManualClock(1_750_000_000_000);
  const config = configOf(CONFIG);
  const paths = resolvePaths({ cli: { home }, env, cwd: home, config });
  const lock = acquireLock({ path: paths.lockFile.path, clock });
  const daemon = createDaemon({
    config,
    paths,
    clock,
    random: Math.random,
    logger: silentLogger,
    onFatal: (error) => {
      throw error;
    },
  });
  const ready = new ReadyFile({
    path: env.MMRELAY_READY_FILE,
    clock,
    logger: silentLogger,
    heartbeatMs: MINUTE_MS,
    alive: () => daemon.alive(),
    describe: () => ({ ...daemon.health() }),
    pid: process.pid,
  });
  onTestFinished(async () => {
    vi.restoreAllMocks();
    ready.stop();
    await daemon.stop();
    if (lock.ok) lock.lock.release();
  });
  const probe = () => checkLiveness({ home, env, clock });
  daemon.start();
  ready.show();
  await clock.advance(60 * MINUTE_MS);
  expect(probe()).toMatchObject({ alive: true });

  vi.spyOn(Engine.prototype, 'stuckLoops').mockReturnValue(['room:!room:ex.org']);
  expect(daemon.health().reasons).toContain('room:!room:ex.org is stuck');
  await clock.advance(5 * MINUTE_MS);
  expect(probe()).toMatchObject({ alive: false, reason: expect.stringContaining('makes no progress') });
});
