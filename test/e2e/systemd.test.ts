import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SdNotify } from '../../src/observe/sd-notify.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { type RelayWorld, relayWorld } from '../support/relay-world.ts';
import { eventually } from './support/eventually.ts';
import { NotifySocket, notifyMissing } from './support/notify-socket.ts';

const missing = notifyMissing();
if (missing !== null && process.env.MMRELAY_E2E_REQUIRED === '1') throw new Error(missing);
const title = 'systemd, by the real systemd-notify';
const WATCHDOG_USEC = '1000000';
/** Fed twice in it: three of them without a word are no accident. */
const SILENCE_MS = 3_000;

describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
  let socket: NotifySocket;
  let world: RelayWorld;

  beforeEach(async () => {
    socket = await NotifySocket.open();
    world = await relayWorld();
  });
  afterEach(async () => {
    await socket.close();
    await world.close();
  });

  const fed = (times: number) =>
    eventually(`${times} feeds of the watchdog`, () => (socket.feeds() >= times ? true : null));

  /** A message may be on its way when the reason for it ends: one more is no feed. */
  const starves = async (): Promise<void> => {
    await delay(500);
    const before = socket.feeds();
    await delay(SILENCE_MS);
    expect(socket.feeds()).toBe(before);
  };

  it('feeds the watchdog while the relay is alive, and only then', async () => {
    const env = { ...process.env, NOTIFY_SOCKET: socket.path, WATCHDOG_USEC, WATCHDOG_PID: String(process.pid) };
    const relay = { alive: true };
    const options = { env, pid: process.pid, clock: systemClock, logger: silentLogger };
    const systemd = new SdNotify({ ...options, alive: () => relay.alive });
    await systemd.ready('ready');
    await fed(2);
    relay.alive = false;
    await starves();
    relay.alive = true;
    await fed(socket.feeds() + 1);
    await systemd.stopping();
    expect(socket.messages().at(-1)).toBe('STOPPING=1');
  });

  it('a real relay is ready when both sides are, starves the watchdog when it hangs, and says when it stops', async () => {
    const config = {
      matrix: { homeserver: world.homeserver.baseUrl, bot_user_id: '@relay:test.local', password: 'relay-password' },
      matrix_rooms: [{ id: '#mesh:test.local', meshtastic_channel: 0 }],
      meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: world.radio.port },
    };
    const daemon = new DaemonProcess({ config, env: { NOTIFY_SOCKET: socket.path, WATCHDOG_USEC } });
    try {
      daemon.start();
      await fed(2);
      expect(socket.messages().find((message) => message.includes('READY=1'))).toMatch(
        /^READY=1 STATUS=(ready|degraded)/,
      );
      process.kill(daemon.pid, 'SIGSTOP');
      await starves();
      process.kill(daemon.pid, 'SIGCONT');
      await fed(socket.feeds() + 1);
      process.kill(daemon.pid, 'SIGTERM');
      await eventually('the end', () => (daemon.exitCode === 0 ? true : null));
      expect(socket.messages()).toContain('STOPPING=1');
    } finally {
      await daemon.close();
    }
  });
});
