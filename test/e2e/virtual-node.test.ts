import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import type { DevicePacket } from '../../src/radio/codec/device-packet.ts';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { TestClient } from '../radio/virtual-node/test-client.ts';
import { eventually } from './support/eventually.ts';
import { type ClientReport, MeshtasticClient, meshtasticCli } from './support/meshtastic-client.ts';
import { type RelayHome, startRelay } from './support/relay-home.ts';

const missing = inject('pythonMissing').meshtastic;
const title = 'the virtual node';
const OWN = 0x10;
const ANNA = 0xa1b2c3d4;
const SLOT_MS = 2_015;

const textOf = ({ payload }: DevicePacket): string => new TextDecoder().decode(payload);

function textsOf(client: MeshtasticClient): string[] {
  return client.reports.flatMap(({ kind, portnum, text }: ClientReport) =>
    kind === 'packet' && portnum === 'TEXT_MESSAGE_APP' ? [String(text)] : [],
  );
}

let radio: VirtualRadio;
let relay: RelayHome;

beforeAll(async () => {
  radio = await createVirtualRadio({
    nodeNum: OWN,
    longName: 'Shared Radio',
    region: 'US',
    channels: [{ name: '', role: 'primary', psk: Uint8Array.of(1) }],
    nodes: [
      { num: ANNA, longName: 'Anna', shortName: 'ANN' },
      { num: 0xdeadbee5, longName: 'Bert far', shortName: 'BRT', hopsAway: 2 },
    ],
  });
  relay = await startRelay({
    meshtastic: { connection_type: 'tcp', host: radio.host, port: radio.port, meshnet_name: 'E2E' },
    virtual_node: { listen: '127.0.0.1:0' },
  });
});
afterAll(async () => {
  await relay?.close();
  await radio?.close();
});

describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
  const clients: MeshtasticClient[] = [];
  afterAll(() => {
    for (const client of clients) client.kill();
  });

  it('gives three official clients the radio’s own configuration', async () => {
    for (let count = 0; count < 3; count += 1)
      clients.push(await MeshtasticClient.connect('127.0.0.1', relay.daemon.virtualNodePort));
    for (const client of clients) {
      const ready = client.reports.find(({ kind }) => kind === 'ready');
      expect(ready).toMatchObject({ myNodeNum: OWN, firmwareVersion: '2.7.26.54e0d8d' });
      expect(ready?.nodes).toEqual([
        expect.objectContaining({ num: OWN, longName: 'Shared Radio' }),
        expect.objectContaining({ longName: 'Anna' }),
        expect.objectContaining({ longName: 'Bert far', hopsAway: 2 }),
      ]);
    }
  });

  it('shows each of them every packet in order, while the relay works', async () => {
    const said = Array.from({ length: 20 }, (_, index) => `mesh ${index}`);
    for (const text of said) radio.node(ANNA).sendText(0, text);
    await relay.person.say(relay.roomId, 'room says');
    await eventually('all texts in the room', async () => ((await relay.texts()).length >= said.length ? true : null));

    expect(await relay.texts()).toEqual(said);
    for (const client of clients) {
      await client.wait((report) => String(report.text).endsWith('room says'));
      expect(textsOf(client).filter((text) => text.startsWith('mesh'))).toEqual(said);
    }
  });

  it('carries a text of a client to the mesh, the room and the other clients, with its acknowledgement', async () => {
    const [anna, bert, carl] = clients;
    anna?.send({ command: 'text', text: 'from the phone', wantAck: true });
    const sent = await anna?.wait(({ kind }) => kind === 'sent');
    const ack = await anna?.wait(({ kind, requestId }) => kind === 'ack' && requestId === sent?.id);
    expect(ack).toMatchObject({ error: 'NONE', from: OWN });
    await bert?.wait(({ text }) => text === 'from the phone');
    await carl?.wait(({ text }) => text === 'from the phone');
    await eventually('it in the room', async () => ((await relay.texts()).includes('from the phone') ? true : null));

    expect((await relay.texts()).filter((text) => text === 'from the phone')).toHaveLength(1);
    expect(radio.mesh.heard.filter(({ packet }) => textOf(packet) === 'from the phone')).toHaveLength(1);
    expect(anna === undefined ? [] : textsOf(anna)).not.toContain('from the phone');
  });

  it('delays the relay by one slot at most, though three clients push', async () => {
    for (const [who, client] of clients.entries())
      for (let count = 0; count < 4; count += 1) client.send({ command: 'text', text: `push ${who} ${count}` });
    const onAir = (): string[] => radio.mesh.heard.map(({ packet }) => textOf(packet));
    await eventually('the first pushes', () => (onAir().some((text) => text.startsWith('push')) ? true : null));
    const before = onAir().length;
    await relay.person.say(relay.roomId, 'in between');
    await eventually('everything on the air', () => (onAir().length >= before + 12 ? true : null), 60_000);

    const between = onAir()
      .slice(before)
      .findIndex((text) => text.endsWith('in between'));
    // One whose slot had come when the text reached the outbox, and one whose turn it was.
    expect(between).toBeGreaterThanOrEqual(0);
    expect(between).toBeLessThanOrEqual(2);
    expect(radio.counters.rateLimited).toBe(0);
    const pushed = onAir().filter((text) => text.startsWith('push'));
    expect(pushed.toSorted()).toEqual([...new Set(pushed)].toSorted());
    for (const who of [0, 1, 2]) {
      const theirs = pushed.filter((text) => text.startsWith(`push ${who}`));
      expect(theirs).toEqual([0, 1, 2, 3].map((count) => `push ${who} ${count}`));
    }
    const gaps = radio.mesh.heard.slice(before).map(({ atMs }, at, all) => atMs - (all[at - 1]?.atMs ?? 0));
    for (const gap of gaps.slice(1)) expect(gap).toBeLessThan(2 * SLOT_MS);
  });

  it('serves the meshtastic command line', async () => {
    const port = relay.daemon.virtualNodePort;
    const info = await meshtasticCli('127.0.0.1', port, ['--info']);
    expect(info).toContain('Owner: Shared Radio');
    expect(info).toContain('Bert far');
    const output = await meshtasticCli('127.0.0.1', port, ['--sendtext', 'from the shell', '--ack']);
    expect(output).toMatch(/ack/i);
    await eventually('it in the room', async () => ((await relay.texts()).includes('from the shell') ? true : null));
  });

  it('refuses settings of a client that may not change them', async () => {
    const before = radio.counters.accepted;
    for (const order of [
      ['--set-owner', 'Stolen'],
      ['--set', 'lora.hop_limit', '7'],
    ])
      await meshtasticCli('127.0.0.1', relay.daemon.virtualNodePort, order).catch(() => undefined);
    expect(relay.logs.filter((line) => line.includes('admin message was refused')).length).toBeGreaterThanOrEqual(2);
    expect(radio.counters.accepted).toBe(before);
  });

  it('drops a client that does not read, and nobody else notices', async () => {
    const port = relay.daemon.virtualNodePort;
    const lazy = await TestClient.ready(port);
    lazy.socket.pause();
    const gone = (): boolean => relay.logs.some((line) => line.includes('it did not read what the radio said'));
    for (let round = 0; round < 20_000 && !gone(); round += 1) {
      lazy.send({ case: 'wantConfigId', value: 1_000 + round });
      if (round % 100 === 0) await new Promise<void>((resolve) => setImmediate(resolve));
    }
    await eventually('the lazy one gone', () => (gone() ? true : null));
    radio.node(ANNA).sendText(0, 'still here');
    for (const client of clients) await client.wait(({ text }) => text === 'still here');
    await eventually('it in the room', async () => ((await relay.texts()).includes('still here') ? true : null));
    lazy.socket.destroy();
  });
});

const admitted = 'a virtual node that admits a client';
describe.skipIf(missing !== null)(missing === null ? admitted : `${admitted} (skipped: ${missing})`, () => {
  it('lets it change the channels of the radio, which the next client is told', async () => {
    const device = await createVirtualRadio({ nodeNum: OWN, region: 'US' });
    const home = await startRelay({
      meshtastic: { connection_type: 'tcp', host: device.host, port: device.port, meshnet_name: 'E2E' },
      virtual_node: { listen: '127.0.0.1:0', allow_admin: ['127.0.0.1'] },
    });
    try {
      const port = home.daemon.virtualNodePort;
      await meshtasticCli('127.0.0.1', port, ['--ch-add', 'Hikers']);
      await eventually('the channel', async () =>
        (await meshtasticCli('127.0.0.1', port, ['--info'])).includes('Hikers') ? true : null,
      );
    } finally {
      await home.close();
      await device.close();
    }
  });
});
