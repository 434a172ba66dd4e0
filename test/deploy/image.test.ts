import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { signInRelay } from '../chaos/support/chaos-homeserver.ts';
import { Person } from '../support/person.ts';
import { Container } from './support/container.ts';
import { document, type Loose } from './support/tree.ts';

// The built image, run as the pod of deploy/k8s, between a virtual radio and an in-memory homeserver on this machine.
// .ci/build-image.sh test builds it and says where it lies unpacked, and the image's environment.
const root = process.env.MMRELAY_IMAGE_ROOT;
const env = (process.env.MMRELAY_IMAGE_ENV ?? '').trim().split('\n');
const name = root === undefined ? 'the image (.ci/build-image.sh test runs this)' : 'the image';
const pod: Loose = document('deploy/k8s/deployment.yaml').spec.template.spec.containers[0];
const probes: Loose = {
  startup: pod.startupProbe.exec.command,
  readiness: pod.readinessProbe.exec.command,
  liveness: pod.livenessProbe.exec.command,
};
const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };
/** Of a machine that has more to do; a quiet one takes less than a second. */
const PATIENCE_MS = 30_000;
/** The promise. */
const STOP_LIMIT_MS = 10_000;

describe.skipIf(root === undefined)(name, { timeout: 120_000 }, () => {
  let container: Container;
  let radio: VirtualRadio;
  let homeserver: Homeserver;
  let person: Person;
  let roomId = '';
  const probe = (which: 'startup' | 'readiness' | 'liveness'): number | null => container.exec(...probes[which]).code;
  const exec = (...command: readonly string[]): string => {
    const { code, output } = container.exec(...command);
    expect(code, output).toBe(0);
    return output;
  };
  const startUp = async (): Promise<number> => {
    const startedMs = performance.now();
    container.start(...pod.args);
    while (probe('startup') !== 0) {
      expect(performance.now() - startedMs, container.log).toBeLessThan(PATIENCE_MS);
      await delay(20);
    }
    return performance.now() - startedMs;
  };
  const stop = async (): Promise<void> => {
    const stoppedMs = performance.now();
    container.kill('TERM');
    expect(await container.ended()).toBe(0);
    expect(performance.now() - stoppedMs).toBeLessThan(STOP_LIMIT_MS);
  };

  beforeAll(async () => {
    container = new Container(root ?? '', env);
    radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [NODE] });
    homeserver = await createHomeserver({ serverName: 'image.local' });
    const bot = homeserver.registerUser('relay', 'x');
    person = new Person({ ...homeserver.registerUser('carol', 'x'), baseUrl: homeserver.baseUrl });
    roomId = await person.createRoom('Image');
    signInRelay(container.data, homeserver.baseUrl, bot);
    container.own(`${container.data}/credentials.json`);
    container.configure({
      meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: 'Image' },
      matrix: { homeserver: homeserver.baseUrl, bot_user_id: bot.userId },
      matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
      plugins: { map: { active: true, require_bot_mention: false } },
    });
  }, PATIENCE_MS);
  afterAll(async () => {
    await container.close();
    await radio.close();
    await homeserver.close();
  }, PATIENCE_MS);

  it('says its version, and runs the demo', () => {
    expect(container.once('--version').output).toMatch(/^MMRelay version \d/);
    const demo = container.once('demo', '--for', '5s');
    expect(demo.code, demo.output).toBe(0);
  });

  it('is not alive without a daemon', () => {
    expect(container.once('doctor', '--liveness').code).toBe(1);
  });

  it('becomes ready, and relays', async () => {
    const startMs = await startUp();
    process.stderr.write(`image: ready in ${Math.round(startMs)} ms\n`);
    radio.node(NODE.num).sendText(0, 'from the container');
    const texts = () => homeserver.timeline(roomId).map(({ content }) => String(content.body));
    await expect.poll(texts, { timeout: PATIENCE_MS }).toContain('[Alice/Image]: from the container');
  });

  it('passes its probes while the ready file is fresh', () => {
    expect([probe('startup'), probe('readiness'), probe('liveness')]).toEqual([0, 0, 0]);
  });

  it('loads what the bundle leaves outside', () => {
    const natives = ['better-sqlite3', 'serialport', '@stoprocent/noble', 'dbus-next'];
    const load = `const r = require('node:module').createRequire('/opt/mmrelay/dist/'); ${JSON.stringify(natives)}.map(r)`;
    exec('node', '-e', `${load}; process.exit()`);
  });

  it('draws pictures', async () => {
    radio
      .node(NODE.num)
      .sendPosition({ latitude: 47.5, longitude: 11.1, altitudeM: 700, timeS: Math.floor(Date.now() / 1000) });
    await person.say(roomId, '!map');
    const kinds = () => homeserver.timeline(roomId).map(({ content }) => content.msgtype);
    await expect.poll(kinds, { timeout: PATIENCE_MS }).toContain('m.image');
  });

  it.each([
    'ls -l /run/mmrelay',
    'cat /app/config.yaml',
    'df -h /data',
    'tar czf /tmp/data.tar.gz /data',
    'mmrelay doctor',
    'mmrelay doctor --config /app/config.yaml',
    'mmrelay config check --config /app/config.yaml',
    'mmrelay paths --config /app/config.yaml',
    'mmrelay backup --output /tmp/mmrelay-backup.tar.gz',
    'mmrelay migrate --dry-run --home /data',
  ])('answers the guide: %s', (command) => {
    exec(...command.split(' '));
  });

  // News of a side makes the daemon write the file in between: another round then.
  it('is not ready without the ready file, but alive', async () => {
    const withoutFile = (): readonly unknown[] => {
      exec('mv', '/run/mmrelay/ready', '/run/mmrelay/away');
      const codes = [probe('startup'), probe('readiness'), probe('liveness')];
      exec('mv', '/run/mmrelay/away', '/run/mmrelay/ready');
      return codes;
    };
    await expect.poll(withoutFile, { timeout: PATIENCE_MS }).toEqual([1, 1, 0]);
  });

  it('is not alive when the ready file is stale', async () => {
    const withOldFile = (): readonly unknown[] => {
      exec('touch', '-d', '10 minutes ago', '/run/mmrelay/ready');
      return [probe('readiness'), probe('liveness')];
    };
    await expect.poll(withOldFile, { timeout: PATIENCE_MS }).toEqual([0, 1]);
    exec('touch', '/run/mmrelay/ready');
    expect(probe('liveness')).toBe(0);
  });

  it('is not alive when the daemon is stuck, and is when it moves again', async () => {
    exec('sh', '-c', 'kill -STOP $(pidof node)');
    expect(probe('liveness')).toBe(0);
    exec('touch', '-d', '2 minutes ago', '/data/mmrelay.lock');
    expect(probe('liveness')).toBe(1);
    exec('sh', '-c', 'kill -CONT $(pidof node)');
    await expect.poll(() => probe('liveness'), { timeout: PATIENCE_MS }).toBe(0);
  });

  it('leaves within ten seconds', async () => {
    await stop();
  });

  it('leaves as quickly with both sides away, and lived meanwhile', async () => {
    await radio.close();
    await homeserver.close();
    container.start(...pod.args);
    await expect.poll(() => probe('liveness'), { timeout: PATIENCE_MS }).toBe(0);
    await stop();
  });
});
