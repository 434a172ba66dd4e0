import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, inject, onTestFinished, test } from 'vitest';
import { cryptoUser } from '../matrix/support/crypto-user.ts';
import { testUser } from '../matrix/support/test-user.ts';
import { startSynapse } from './support/synapse.ts';

const CHILD = fileURLToPath(new URL('./support/adapter-client.ts', import.meta.url));
const KILLS = Number(process.env.MMRELAY_TEST_KILLS ?? 8);
const missing = inject('pythonMissing').synapse;

interface Line {
  readonly kind: 'sent' | 'got' | 'undecryptable' | 'waits';
  readonly id: string;
  readonly row?: number;
}

test.skipIf(missing !== null)(
  `the adapter killed -9 ${KILLS} times under traffic both ways: nothing unreadable, nothing lost, nothing twice`,
  { retry: 0, timeout: 300_000 },
  async () => {
    const synapse = await startSynapse({ rateLimits: 'off' });
    onTestFinished(() => synapse.stop());
    const bot = testUser(synapse.baseUrl, await synapse.registerUser('bot', 'secret-b'));
    const alice = await cryptoUser(synapse.baseUrl, await synapse.registerUser('alice', 'secret-a'));
    onTestFinished(() => alice.stop());
    const roomId = await alice.createRoom({ encrypted: true });
    await bot.call('POST', `/join/${encodeURIComponent(roomId)}`, {});
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-kills-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const { userId, accessToken, deviceId } = bot;
    const options = JSON.stringify({ baseUrl: synapse.baseUrl, userId, accessToken, deviceId, roomId, folder });
    const got = new Set<string>();
    const unread = new Set<string>();
    const sent = new Map<number, Set<string>>();
    const said: string[] = [];

    const live = async (lines: number, done: () => boolean): Promise<void> => {
      const child = spawn(process.execPath, [CHILD, options], { stdio: ['ignore', 'pipe', 'inherit'] });
      const closed = once(child, 'close');
      let seen = 0;
      for await (const text of createInterface({ input: child.stdout })) {
        const { kind, id, row } = JSON.parse(text) as Line;
        if (kind === 'got') got.add(id);
        if (kind === 'got') unread.delete(id);
        if (kind === 'undecryptable') unread.add(id);
        if (kind === 'sent' && row !== undefined) sent.set(row, (sent.get(row) ?? new Set()).add(id));
        seen += 1;
        // Read on to the end: what the child said before it died, it has stored, and will not say again.
        if (seen >= lines && done()) child.kill('SIGKILL');
      }
      await closed;
    };

    let talking = true;
    const first = live(3, () => sent.size > 0);
    await alice.sees(bot);
    const talk = (async () => {
      for (let n = 0; talking; n += 1) {
        said.push(await alice.say(roomId, `alice ${n}`));
        await new Promise((resolve) => setTimeout(resolve, 150));
      }
    })();
    await first;
    // Every life dies at another place: while it catches up, or in the middle of talking.
    for (let life = 1; life < KILLS; life += 1) {
      const before = sent.size;
      await live((life * 5) % 13, () => life % 3 === 0 || sent.size > before + (life % 5));
    }
    talking = false;
    await talk;
    await live(1, () => said.every((id) => got.has(id)) && unread.size === 0);

    const ids = [...sent.values()].flatMap((set) => [...set]);
    await alice.until(() => ids.every((id) => alice.heard.some((heard) => heard.id === id)));
    expect(sent.size).toBeGreaterThan(KILLS);
    expect([...unread]).toEqual([]);
    expect([...alice.unread]).toEqual([]);
    expect([...sent.values()].filter((set) => set.size > 1)).toEqual([]);
    const bodies = alice.heard.filter(({ sender }) => sender === bot.userId).map(({ content }) => content.body);
    expect(new Set(bodies).size).toBe(bodies.length);
    const { devices } = await bot.call('GET', '/devices');
    expect((devices as { device_id: string }[]).map(({ device_id }) => device_id)).toEqual([bot.deviceId]);
    process.stdout.write(`${bodies.length} messages out, ${said.length} in, ${KILLS + 1} lives\n`);
  },
);
