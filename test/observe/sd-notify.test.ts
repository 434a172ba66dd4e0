import { expect, test } from 'vitest';
import { SdNotify } from '../../src/observe/sd-notify.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';

function notify(env: Readonly<Record<string, string>>, fails = false) {
  const clock = new ManualClock();
  const sent: string[][] = [];
  const state = { alive: true, warnings: 0 };
  const sd = new SdNotify({
    env,
    pid: 5,
    clock,
    logger: {
      ...silentLogger,
      warn: () => {
        state.warnings += 1;
      },
    },
    alive: () => state.alive,
    run: async (program, args, childEnv) => {
      sent.push([program, ...args, childEnv.NOTIFY_SOCKET ?? '']);
      if (fails) throw new Error('ENOENT');
    },
  });
  return { sd, clock, sent, state };
}

test('without systemd nothing is run', async () => {
  const { sd, clock, sent } = notify({ WATCHDOG_USEC: '1000000' });
  await sd.ready('x');
  await sd.stopping();
  expect([sent, clock.pending()]).toEqual([[], 0]);
});

test('ready, watchdog while alive, stopping', async () => {
  const { sd, clock, sent, state } = notify({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '5' });
  await sd.ready('two\nlines');
  expect(sent).toEqual([['systemd-notify', 'READY=1', 'STATUS=two lines', '/s']]);
  await clock.advance(60_000);
  expect(sent.filter((args) => args.includes('WATCHDOG=1'))).toHaveLength(2);
  state.alive = false;
  await clock.advance(60_000);
  expect(sent.filter((args) => args.includes('WATCHDOG=1'))).toHaveLength(2);
  await sd.stopping();
  expect(sent.at(-1)).toContain('STOPPING=1');
  expect(clock.pending()).toBe(0);
});

test('the watchdog of another process is not fed', async () => {
  const { sd, clock } = notify({ NOTIFY_SOCKET: '/s', WATCHDOG_USEC: '60000000', WATCHDOG_PID: '6' });
  await sd.ready('x');
  expect(clock.pending()).toBe(0);
});

test('a missing systemd-notify is said once', async () => {
  const { sd, state } = notify({ NOTIFY_SOCKET: '/s' }, true);
  await sd.ready('x');
  await sd.status('y');
  expect(state.warnings).toBe(1);
});
