import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, inject, it } from 'vitest';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { sleep, systemClock } from '../../src/util/clock.ts';
import { signInRelay } from '../chaos/support/chaos-homeserver.ts';
import { daemonOn } from '../support/daemon-on.ts';
import { Person } from '../support/person.ts';
import { scaledClock } from '../support/scaled-clock.ts';
import { HomeserverProxy } from './support/homeserver-proxy.ts';
import { startSynapse } from './support/synapse.ts';

const TEXTS = 500;
/** Relay and radio live this much faster; the 2 s between two texts stay 2 s between them. */
const FACTOR = 20;
const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };
const missing = inject('pythonMissing').synapse;
const title = `${TEXTS} texts each way through radio and Synapse arrive once and in order`;

it.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, async () => {
  const clock = scaledClock(FACTOR, Date.now());
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-bulk-'));
  const synapse = await startSynapse({ rateLimits: 'off' });
  const proxy = new HomeserverProxy({ target: synapse.baseUrl, factor: FACTOR });
  await proxy.open();
  const radio = await createVirtualRadio({ clock, region: 'US', modemPreset: 'SHORT_FAST', nodes: [NODE] });
  const bot = await synapse.registerUser('relay', 'secret');
  signInRelay(home, proxy.baseUrl, bot);
  const user = await synapse.registerUser('carol', 'secret');
  const person = new Person({ ...user, baseUrl: synapse.baseUrl });
  const roomId = await person.createRoom('Bulk');
  const text = JSON.stringify({
    meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: 'Bulk' },
    matrix: { homeserver: proxy.baseUrl, bot_user_id: bot.userId },
    matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
    relay: { user_rate_limit: { burst: 10_000, per_minute: 10_000 } },
  });
  const fatal: unknown[] = [];
  const daemon = daemonOn(home, text, { clock, onFatal: (error) => fatal.push(error) });
  daemon.start();
  try {
    await expect.poll(() => daemon.health().state, { timeout: 20_000 }).toBe('ready');
    const numbers = Array.from({ length: TEXTS }, (_, n) => n);
    const mesh = async (): Promise<void> => {
      for (const n of numbers) {
        radio.node(NODE.num).sendText(0, `mesh ${n}`);
        // Half the radio's queue is for the answers to what goes the other way.
        while (radio.waitingPackets > 16) await sleep(systemClock, 5);
        if (n % 16 === 15) await sleep(systemClock, 50);
      }
    };
    const room = async (): Promise<void> => {
      for (const n of numbers) await person.say(roomId, `room ${n}`);
    };
    await Promise.all([mesh(), room()]);

    const inRoom = async (): Promise<string[]> =>
      (await person.messages(roomId)).filter(({ sender }) => sender === bot.userId).map(({ body }) => body);
    await expect.poll(async () => (await inRoom()).length, { timeout: 120_000, interval: 500 }).toBe(TEXTS);
    await expect.poll(() => radio.mesh.heard.length, { timeout: 120_000, interval: 200 }).toBe(TEXTS);
    expect(await inRoom()).toEqual(numbers.map((n) => `[Alice/Bulk]: mesh ${n}`));
    const heard = radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));
    expect(heard).toEqual(numbers.map((n) => `carol[M]: room ${n}`));
    expect(radio.counters).toMatchObject({ rateLimited: 0, evicted: 0, queueFull: 0 });
    expect(fatal).toEqual([]);
  } finally {
    await daemon.stop();
    await radio.close();
    await proxy.close();
    await synapse.stop();
    rmSync(home, { recursive: true, force: true });
  }
});
