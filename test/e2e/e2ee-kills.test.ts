import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, inject, onTestFinished, test } from 'vitest';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { type CryptoUser, cryptoUser } from '../support/crypto-user.ts';
import { signedInRelay } from '../support/signed-in-relay.ts';
import { testUser } from '../support/test-user.ts';
import { type SynapseUser, startSynapse } from './support/synapse.ts';

const KILLS = Number(process.env.MMRELAY_TEST_KILLS ?? (process.env.MMRELAY_E2E_FULL === '1' ? 100 : 25));
const missing = inject('pythonMissing').synapse;
const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };
/** The radio's to-phone queue holds 32. */
const QUEUE_ROOM = 24;
/** A little slower than the radio takes texts. */
const ROOM_PAUSE_MS = 2_300;

test.skipIf(missing !== null)(
  `the relay killed -9 ${KILLS} times under traffic both ways in an encrypted room: one device, nothing unreadable`,
  { retry: 0, timeout: 240_000 + KILLS * 10_000 },
  async () => {
    const synapse = await startSynapse({ rateLimits: 'off' });
    onTestFinished(() => synapse.stop());
    const bot = await synapse.registerUser('relay', 'secret-b');
    const person = await cryptoUser(synapse.baseUrl, await synapse.registerUser('carol', 'secret-a'));
    onTestFinished(() => person.stop());
    const roomId = await person.createRoom({ encrypted: true });
    const radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [NODE] });
    onTestFinished(() => radio.close());
    const home = mkdtempSync(join(tmpdir(), 'mmrelay-kills-'));
    onTestFinished(() => rmSync(home, { recursive: true, force: true }));
    const daemon = signedInRelay({ home, homeserver: synapse, bot, radio, meshnet: 'E2E', rooms: [roomId] });
    onTestFinished(() => daemon.close());
    const fromRelay = (): string[] =>
      person.heard.flatMap(({ sender, content }) => (sender === bot.userId ? [String(content.body)] : []));
    const onAir = (): string[] => radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));

    const identities = new Set<string>();
    const said: string[] = [];
    daemon.start();
    await person.sees(bot);
    const talks = new AbortController();
    const talking = Promise.all([
      talk(talks.signal, ROOM_PAUSE_MS, async (n) => {
        said.push(`carol[M]: room ${n}`);
        await person.say(roomId, `room ${n}`);
      }),
      talk(talks.signal, 100, async (n) => {
        if (radio.waitingPackets < QUEUE_ROOM) radio.node(NODE.num).sendText(0, `mesh ${n}`);
      }),
    ]);
    // Every life dies at another place: while it starts and catches up, or in the middle of talking.
    for (let life = 0; life < KILLS; life += 1) {
      const before = fromRelay().length;
      if (life % 3 === 2) await delay((life * 137) % 1_500);
      else await daemon.until(() => fromRelay().length > before + ((life * 5) % 11), `life ${life} to talk`);
      await daemon.end('SIGKILL');
      identities.add(await keysOf(person, bot));
      daemon.start();
    }
    talks.abort();
    await talking;
    // The last life reads everything that any life was sent, also what it slept through.
    const waitMs = 60_000 + ROOM_PAUSE_MS * said.length;
    await expect.poll(() => onAir().length, { timeout: waitMs }).toBeGreaterThanOrEqual(said.length);
    await expect.poll(() => radio.waitingPackets, { timeout: waitMs }).toBe(0);
    await delay(1_000);
    expect(await daemon.end('SIGTERM')).toBe(0);

    expect(onAir()).toEqual(said);
    // What the server still has on the way to this client; the relay is gone and sends nothing more.
    await expect.poll(() => [...person.unread], { timeout: 20_000 }).toEqual([]);
    expect(fromRelay().filter((body) => !body.startsWith('[Alice/E2E]: mesh '))).toEqual([]);
    expect(fromRelay().length).toBeGreaterThan(KILLS);
    expect(new Set(fromRelay()).size).toBe(fromRelay().length);
    expect(identities.size, [...identities].join('\n')).toBe(1);
    const { devices } = await testUser(synapse.baseUrl, bot).call('GET', '/devices');
    expect((devices as { device_id: string }[]).map(({ device_id }) => device_id)).toEqual([bot.deviceId]);
    process.stdout.write(`${KILLS} kills, ${fromRelay().length} messages out, ${said.length} in\n`);
  },
);

async function talk(stopped: AbortSignal, pauseMs: number, say: (n: number) => Promise<void>): Promise<void> {
  for (let n = 0; !stopped.aborted; n += 1) {
    await say(n);
    await delay(pauseMs);
  }
}

/** The keys of the relay's device as its homeserver gives them to everybody. */
async function keysOf({ client }: CryptoUser, { userId, deviceId }: SynapseUser): Promise<string> {
  const { device_keys } = await client.downloadKeysForUsers([userId]);
  return `${Object.keys(device_keys[userId] ?? {})} ${JSON.stringify(device_keys[userId]?.[deviceId]?.keys)}`;
}
