import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { MeshtasticClient, meshtasticCli } from './support/meshtastic-client.ts';

const missing = inject('pythonMissing').meshtastic;
const title = 'the official Meshtastic Python client and the virtual radio';

describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
  let radio: VirtualRadio;
  let client: MeshtasticClient;

  beforeAll(async () => {
    const position = { latitude: 48.2082, longitude: 16.3738, altitudeM: 171, timeS: 1_750_000_000 };
    const metrics = { batteryLevel: 88, voltage: 4.1, channelUtilization: 3, airUtilTx: 1, uptimeS: 60 };
    radio = await createVirtualRadio({
      nodeNum: 0x10,
      longName: 'Relay Radio',
      channels: [
        { name: '', role: 'primary', psk: Uint8Array.of(1) },
        { name: 'Hikers', role: 'secondary', psk: new Uint8Array(16).fill(7) },
      ],
      nodes: [
        { num: 0xa1b2c3d4, longName: 'Anna', shortName: 'ANN', position, metrics },
        { num: 0xdeadbee5, longName: 'Bert far', shortName: 'BRT', hopsAway: 2 },
      ],
    });
    client = await MeshtasticClient.connect(radio.host, radio.port);
  });
  afterAll(async () => {
    client?.kill();
    await radio?.close();
  });

  it('reads device, nodes, channels and LoRa settings', () => {
    const ready = client.reports.find((report) => report.kind === 'ready');
    expect(ready).toMatchObject({
      myNodeNum: 0x10,
      firmwareVersion: '2.7.26.54e0d8d',
      hopLimit: 3,
      region: 3,
      modemPreset: 6,
    });
    expect(ready?.nodes).toEqual([
      expect.objectContaining({ num: 0x10, longName: 'Relay Radio' }),
      expect.objectContaining({ id: '!a1b2c3d4', longName: 'Anna', latitude: 48.2082, batteryLevel: 88, hopsAway: 0 }),
      expect.objectContaining({ id: '!deadbee5', shortName: 'BRT', hopsAway: 2 }),
    ]);
    expect(ready?.channels).toEqual([
      { index: 0, name: '', role: 1 },
      { index: 1, name: 'Hikers', role: 2 },
      ...[2, 3, 4, 5, 6, 7].map((index) => ({ index, name: '', role: 0 })),
    ]);
  });

  it('receives a text with its signal and hops', async () => {
    const id = radio.node(0xdeadbee5).sendText(1, 'grüße 🌐', { snr: -7.5, replyId: 77 });
    const got = await client.wait((report) => report.kind === 'packet' && report.id === id);
    expect(got).toMatchObject({
      from: 0xdeadbee5,
      text: 'grüße 🌐',
      replyId: 77,
      rxSnr: -7.5,
      hopStart: 3,
      hopLimit: 1,
    });
  });

  it('sends a broadcast that the mesh hears, and sees the implicit acknowledgement', async () => {
    client.send({ command: 'text', text: 'hello mesh', channel: 1, wantAck: true });
    const sent = await client.wait((report) => report.kind === 'sent');
    const ack = await client.wait((report) => report.kind === 'ack' && report.requestId === sent.id);
    expect(ack).toMatchObject({ error: 'NONE', from: 0x10 });
    const heard = radio.mesh.heard.find((record) => record.packet.id === sent.id);
    expect(new TextDecoder().decode(heard?.packet.payload)).toBe('hello mesh');
    expect(heard?.packet).toMatchObject({ from: 0x10, channel: 1, wantAck: false });
  });

  it('is refused a second text within 2 s', async () => {
    client.send({ command: 'text', text: 'too soon' });
    client.send({ command: 'text', text: 'sooner' });
    const refused = await client.wait((report) => report.kind === 'packet' && report.error === 'RATE_LIMIT_EXCEEDED');
    expect(refused).toMatchObject({ from: 0x10, to: 0x10 });
  });

  it('goes away cleanly', async () => {
    expect(await client.close()).toBe(0);
  });

  it('gets the acknowledgement of the addressee of a direct message', async () => {
    client = await MeshtasticClient.connect(radio.host, radio.port);
    client.send({ command: 'text', text: 'dear Anna', to: '!a1b2c3d4', wantAck: true });
    const ack = await client.wait((report) => report.kind === 'ack');
    expect(ack).toMatchObject({ error: 'NONE', from: 0xa1b2c3d4 });
    await client.close();
  });

  it('lets the meshtastic command line print --info and --nodes', async () => {
    const info = await meshtasticCli(radio.host, radio.port, ['--info']);
    expect(info).toContain('Owner: Relay Radio');
    expect(info).toContain('Hikers');
    const nodes = await meshtasticCli(radio.host, radio.port, ['--nodes']);
    expect(nodes).toContain('Anna');
    expect(nodes).toContain('Bert far');
  });

  it('lets the meshtastic command line send a text', async () => {
    await meshtasticCli(radio.host, radio.port, ['--sendtext', 'from the shell', '--ack']);
    const texts = radio.mesh.heard.map((record) => new TextDecoder().decode(record.packet.payload));
    expect(texts).toContain('from the shell');
  });
});
