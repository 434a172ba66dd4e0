import { existsSync } from 'node:fs';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { Person } from '../support/person.ts';
import { MeshtasticClient } from './support/meshtastic-client.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const { synapse: noSynapse, meshtastic: noMeshtastic } = inject('pythonMissing');
const missing = noSynapse ?? noMeshtastic;
const title = 'the daemon between the virtual radio and Synapse';
const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  const closing: (() => Promise<unknown> | undefined)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  async function world(): Promise<{
    radio: VirtualRadio;
    synapse: Synapse;
    person: Person;
    roomId: string;
    daemon: DaemonProcess;
  }> {
    const radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_FAST', nodes: [NODE] });
    closing.push(() => radio.close());
    const synapse = await startSynapse({ rateLimits: 'stock' });
    closing.push(() => synapse.stop());
    await synapse.registerUser('relay', 'a password');
    const user = await synapse.registerUser('carol', 'another');
    const person = new Person({ ...user, baseUrl: synapse.baseUrl });
    const roomId = await person.createRoom('Mountain');
    const daemon = new DaemonProcess({
      config: {
        meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: 'E2E' },
        matrix: { homeserver: synapse.baseUrl, bot_user_id: '@relay:synapse.test', password: 'a password' },
        matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
      },
    });
    closing.push(() => daemon.close());
    return { radio, synapse, person, roomId, daemon };
  }

  const onAir = (radio: VirtualRadio): string[] =>
    radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));

  it('logs in, carries both ways at the pace of the firmware, survives kill -9, and stops on SIGTERM', async () => {
    const { radio, person, roomId, daemon } = await world();
    const client = await MeshtasticClient.connect(radio.host, radio.port);
    expect(await client.close()).toBe(0);

    daemon.start();
    await daemon.ready();
    for (const words of ['one', 'two', 'three']) {
      radio.node(NODE.num).sendText(0, `mesh ${words}`);
      await person.say(roomId, `room ${words}`);
    }
    await daemon.until(() => onAir(radio).length === 3, 'three texts on air');
    await expect
      .poll(async () => (await person.messages(roomId)).map(({ body }) => body), { timeout: 20_000 })
      .toEqual(expect.arrayContaining(['[Alice/E2E]: mesh one', '[Alice/E2E]: mesh two', '[Alice/E2E]: mesh three']));
    expect(onAir(radio)).toEqual(['carol[M]: room one', 'carol[M]: room two', 'carol[M]: room three']);
    const [first, second, third] = radio.mesh.heard.map(({ atMs }) => atMs);
    expect(Math.min((second ?? 0) - (first ?? 0), (third ?? 0) - (second ?? 0))).toBeGreaterThan(1_900);
    expect(radio.counters.rateLimited).toBe(0);

    await daemon.end('SIGKILL');
    await person.say(roomId, 'while it was dead');
    radio.node(NODE.num).sendText(0, 'kept by the radio');
    daemon.start();
    await daemon.until(() => onAir(radio).length === 4, 'the text that came while it was dead');
    expect(onAir(radio).at(-1)).toBe('carol[M]: while it was dead');
    await expect
      .poll(async () => (await person.messages(roomId)).filter(({ body }) => body.includes('kept by')).length, {
        timeout: 20_000,
      })
      .toBe(1);

    expect(await daemon.end('SIGTERM')).toBe(0);
    expect(existsSync(daemon.readyFile)).toBe(false);
    expect(daemon.output).not.toContain('a password');
  });

  it('leaves the radio to the official client when it has stopped, and takes it back', async () => {
    const { radio, person, roomId, daemon } = await world();
    daemon.start();
    await daemon.ready();
    expect(await daemon.end('SIGTERM')).toBe(0);

    const client = await MeshtasticClient.connect(radio.host, radio.port);
    const id = radio.node(NODE.num).sendText(0, 'for the phone');
    expect(await client.wait((report) => report.kind === 'packet' && report.id === id)).toMatchObject({
      text: 'for the phone',
    });
    client.send({ command: 'text', text: 'from the phone' });
    await client.wait((report) => report.kind === 'sent');
    await expect.poll(() => onAir(radio)).toEqual(['from the phone']);
    expect(await client.close()).toBe(0);

    daemon.start();
    await daemon.ready();
    radio.node(NODE.num).sendText(0, 'for the relay again');
    await expect
      .poll(async () => (await person.messages(roomId)).map(({ body }) => body), { timeout: 20_000 })
      .toContain('[Alice/E2E]: for the relay again');
    expect((await person.messages(roomId)).map(({ body }) => body)).not.toContain('[Alice/E2E]: for the phone');
  });
});
