import { readFileSync } from 'node:fs';
import { fromBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import { afterEach, expect, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { TestClient } from './test-client.ts';

let radio: VirtualRadio;
let client: TestClient;
afterEach(async () => {
  client.close();
  await radio.close();
});

/** What firmware 2.7.26 answered to want_config, up to the first frame after configCompleteId. */
function captured(name: string): Uint8Array[] {
  const path = new URL(`../../radio/fixtures/${name}.jsonl`, import.meta.url);
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  const frames = lines
    .map((line) => JSON.parse(line) as { dir: string; hex: string })
    .filter(({ dir }) => dir === 'fromRadio')
    .map(({ hex }) => new Uint8Array(Buffer.from(hex, 'hex')));
  const end = frames.findIndex((frame) => shapeOf(frame).startsWith('configCompleteId'));
  return frames.slice(0, end + 2);
}

/** Kind of frame, and of config or channel within it. */
function shapeOf(frame: Uint8Array): string {
  const { case: kind, value } = fromBinary(Mesh.FromRadioSchema, frame).payloadVariant;
  if (kind === 'config' || kind === 'moduleConfig') return `${kind}.${value.payloadVariant.case}`;
  if (kind === 'channel') return `${kind}.${value.index}.${value.role}`;
  if (kind === 'fileInfo') return `${kind}.${value.fileName}`;
  return String(kind);
}

it.each([
  ['A-config-and-dm-with-ack', 4711],
  ['B-config-nonce-69420', 69420],
  ['B-config-nonce-69421', 69421],
])('answers want_config with the sequence of real firmware: %s', async (name, nonce) => {
  const node = { num: 17, longName: 'Node4404', shortName: 'N4', hwModel: 'PORTDUINO' };
  radio = await createVirtualRadio({ clock: new ManualClock(), nodeNum: 16, modemPreset: 'LONG_FAST', nodes: [node] });
  client = await TestClient.ready(radio.port, nonce);
  const real = captured(name);
  await client.sync();
  expect(client.raw.slice(0, real.length).map(shapeOf)).toEqual(real.map(shapeOf));
});

it('sends channels, files and LoRa settings byte for byte as captured', async () => {
  radio = await createVirtualRadio({ clock: new ManualClock(), nodeNum: 16, modemPreset: 'LONG_FAST' });
  client = await TestClient.ready(radio.port, 69420);
  const same = (frame: Uint8Array): boolean =>
    /^(channel|deviceuiConfig|config.network|config.power)/.test(shapeOf(frame));
  const hex = (frames: Uint8Array[]): string[] =>
    frames.filter(same).map((frame) => Buffer.from(frame).toString('hex'));
  expect(hex(client.raw)).toEqual(hex(captured('B-config-nonce-69420')));
  expect(hex(client.raw)).toHaveLength(11);
});

it('says nothing before it is asked, except to a heartbeat', async () => {
  radio = await createVirtualRadio({ clock: new ManualClock(), nodes: [{ num: 5, longName: 'Five', shortName: '5' }] });
  radio.node(5).sendText(0, 'early');
  client = await TestClient.connect(radio.port);
  client.send({ case: 'heartbeat', value: {} });
  await client.until(() => client.frames.length > 0);
  expect(client.frames.map((frame) => frame.case)).toEqual(['queueStatus']);
  client.send({ case: 'wantConfigId', value: 1 });
  await client.until(() => client.texts().length > 0);
  expect(client.texts()).toEqual(['early']);
});

it('tells names, positions, telemetry and metrics of the nodes it knows, and none of the others', async () => {
  const position = { latitude: 48.2, longitude: 16.37, altitudeM: 171, timeS: 1_750_000_000 };
  const metrics = { batteryLevel: 88, voltage: 4.1, channelUtilization: 3, airUtilTx: 1, uptimeS: 60 };
  radio = await createVirtualRadio({
    clock: new ManualClock(),
    nodes: [
      { num: 5, longName: 'Five', shortName: '5', position, metrics, hopsAway: 2, snr: -3.5 },
      { num: 6, longName: 'Six', shortName: '6', known: false },
    ],
  });
  client = await TestClient.ready(radio.port, 69421);
  const [own, five, ...rest] = client.all('nodeInfo');
  expect(own?.num).toBe(radio.nodeNum);
  expect(five).toMatchObject({ num: 5, hopsAway: 2, snr: -3.5, user: { id: '!00000005', longName: 'Five' } });
  expect(five?.position?.latitudeI).toBe(482000000);
  expect(five?.deviceMetrics?.batteryLevel).toBe(88);
  expect(rest).toEqual([]);
  radio.node(6).sendNodeInfo();
  client.send({ case: 'wantConfigId', value: 69421 });
  await client.until(() => client.all('configCompleteId').length === 2);
  expect(client.all('nodeInfo').map((node) => node.num)).toContain(6);
});
