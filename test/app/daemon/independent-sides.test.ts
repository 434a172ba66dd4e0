import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Daemon } from '../../../src/app/daemon/daemon.ts';
import { writeCredentials } from '../../../src/matrix/auth/credentials-file.ts';
import { createHomeserver, type Homeserver } from '../../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { daemonOn } from '../../support/daemon-on.ts';
import { closeHttp, listen } from '../../support/listen.ts';
import { Person } from '../../support/person.ts';
import { scaledClock } from '../../support/scaled-clock.ts';

const ALICE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };
const FACTOR = 10;

/** The weak spots of the old relay (spec 02, section 9) that lie between the two sides. */
describe('the two sides do not need each other', () => {
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  function startDaemon(options: { clock: Clock; port: number; homeserver: string; room: string; token: string }): {
    daemon: Daemon;
    fatal: unknown[];
  } {
    const home = mkdtempSync(join(tmpdir(), 'mmrelay-sides-'));
    closing.push(() => rmSync(home, { recursive: true, force: true }));
    const { clock, port, homeserver, room, token } = options;
    const credentials = { homeserver, accessToken: token, deviceId: 'RELAY', userId: '@relay:sides.local' };
    writeCredentials(join(home, 'credentials.json'), credentials);
    const text = JSON.stringify({
      meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port },
      matrix: { homeserver },
      matrix_rooms: [{ id: room, meshtastic_channel: 0 }],
      logging: { log_to_file: false },
    });
    const fatal: unknown[] = [];
    const onFatal = (error: unknown): void => void fatal.push(error);
    const daemon = daemonOn(home, text, { clock, onFatal });
    closing.push(() => daemon.stop());
    daemon.start();
    return { daemon, fatal };
  }

  interface World {
    readonly radio: VirtualRadio;
    readonly homeserver: Homeserver;
    readonly person: Person;
    readonly room: string;
    readonly onAir: () => string[];
    readonly inRoom: () => Promise<string[]>;
    start(): { daemon: Daemon; fatal: unknown[] };
  }

  async function world(): Promise<World> {
    const clock = scaledClock(FACTOR, Date.now());
    const radio = await createVirtualRadio({ clock, region: 'US', nodes: [ALICE] });
    closing.push(() => radio.close());
    const homeserver = await createHomeserver({ clock, serverName: 'sides.local' });
    closing.push(() => homeserver.close());
    const { accessToken } = homeserver.registerUser('relay', 'x');
    const person = new Person({ ...homeserver.registerUser('carol', 'x'), baseUrl: homeserver.baseUrl });
    const room = await person.createRoom('Mountain');
    const start = () =>
      startDaemon({ clock, port: radio.port, homeserver: homeserver.baseUrl, room, token: accessToken });
    const onAir = (): string[] => radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));
    const inRoom = async (): Promise<string[]> => (await person.messages(room)).map(({ body }) => body);
    return { radio, homeserver, person, room, onAir, inRoom, start };
  }

  const soon = { timeout: 15_000, interval: 20 };

  it('W27, W28: without a radio Matrix works, and what is said waits for the radio', async () => {
    const { radio, person, room, onAir, start } = await world();
    await radio.refuse();
    const { daemon, fatal } = start();
    await expect.poll(() => daemon.source.matrix().status, soon).toBe('syncing');
    await person.say(room, 'said before the radio was there');
    await radio.accept();
    await expect.poll(onAir, soon).toEqual(['carol[M]: said before the radio was there']);
    expect(fatal).toEqual([]);
  });

  it('W27, W28: without a homeserver the mesh is heard, and what it said is delivered later', async () => {
    const { radio, homeserver, inRoom, start } = await world();
    await homeserver.setOutage({ kind: 'refuse' });
    const { fatal } = start();
    await expect.poll(() => radio.connected, soon).toBe(true);
    radio.node(ALICE.num).sendText(0, 'heard before the homeserver was there');
    await expect.poll(() => radio.waitingPackets, soon).toBe(0);
    await homeserver.setOutage(null);
    await expect.poll(inRoom, soon).toEqual([expect.stringMatching(/heard before the homeserver was there$/)]);
    expect(fatal).toEqual([]);
  });

  it('W32: no mesh name in the configuration hurts nothing', async () => {
    const { radio, inRoom, start } = await world();
    start();
    await expect.poll(() => radio.connected, soon).toBe(true);
    radio.node(ALICE.num).sendText(0, 'no mesh name');
    await expect.poll(inRoom, soon).toEqual([expect.stringMatching(/^\[Alice.*\]: no mesh name$/)]);
  });

  it('W34: a radio that hangs in connecting holds up nothing on the Matrix side', async () => {
    const { radio, person, room, onAir, start } = await world();
    await radio.close();
    const blackHole = await createVirtualRadio({ port: radio.port, nodes: [ALICE] });
    closing.push(() => blackHole.close());
    blackHole.faults.neverCompleteConfig = true;
    const { daemon } = start();
    await expect.poll(() => blackHole.connected, soon).toBe(true);
    await expect.poll(() => daemon.source.matrix().status, soon).toBe('syncing');
    const before = daemon.source.matrix().lastSyncMs;
    await person.say(room, 'while the radio hangs');
    await expect.poll(() => daemon.source.matrix().lastSyncMs, soon).toBeGreaterThan(before);
    expect(onAir()).toEqual([]);
  });

  it('W29: a proxy that answers every request with an error page is asked again at the pace of the backoff', async () => {
    const seen = { requests: 0 };
    const server = createServer((_request, response) => {
      seen.requests += 1;
      response.writeHead(502, { 'content-type': 'text/html' }).end('<html>Bad gateway</html>');
    });
    const homeserver = `http://127.0.0.1:${await listen(server)}`;
    closing.push(() => closeHttp(server));
    const clock = new ManualClock();
    const { daemon, fatal } = startDaemon({ clock, port: 1, homeserver, room: '!room:sides.local', token: 'token' });
    for (let second = 0; second < 120; second += 1) {
      await clock.advance(1_000);
      for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(seen.requests).toBeGreaterThan(2);
    expect(seen.requests).toBeLessThan(60);
    expect([daemon.alive(), fatal]).toEqual([true, []]);
  });
});
