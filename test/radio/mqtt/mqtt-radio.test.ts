import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Mesh, Mqtt } from '@meshtastic/protobufs';
import { describe, expect, it } from 'vitest';
import { channelKey, cryptData, keyId } from '../../../src/radio/codec/channel-key.ts';
import { isPrivateHost } from '../../../src/radio/mqtt/mesh-traffic.ts';
import { createMqttRadio, type MqttRadioOptions } from '../../../src/radio/mqtt/mqtt-radio.ts';
import type { RadioPort } from '../../../src/relay/ports.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { RecordingSink, textPacket } from '../radio-rig.ts';
import { FakeBroker } from './fake-broker.ts';

const OWN = 0xdadadada;
const ANNA = 0xa1b2c3d4;
const GATEWAY = '!0badcafe';
const SECRET = Buffer.alloc(32, 9).toString('base64');
const CHANNELS = [
  { name: 'LongFast', psk: 'AQ==' },
  { name: 'Hikers', psk: SECRET },
];

interface Rig {
  readonly radio: RadioPort;
  readonly broker: FakeBroker;
  readonly sink: RecordingSink;
  readonly clock: ManualClock;
}

async function rig(change: Partial<MqttRadioOptions> = {}, broker = new FakeBroker()): Promise<Rig> {
  const clock = new ManualClock();
  const sink = new RecordingSink();
  const radio = createMqttRadio({
    name: 'broker',
    address: { host: '127.0.0.1', port: 1883, tls: false, caFile: null, username: null, password: null },
    rootTopic: 'msh/EU_868',
    nodeNum: OWN,
    longName: 'Matrix relay',
    shortName: 'MTX',
    channels: CHANNELS,
    clock,
    random: () => 0.5,
    logger: silentLogger,
    connect: broker.connect,
    ...change,
  });
  radio.start(sink);
  await clock.advance(0);
  return { radio, broker, sink, clock };
}

interface Published {
  readonly from?: number;
  readonly to?: number;
  readonly id?: number;
  readonly channel?: string;
  readonly psk?: string;
  readonly gateway?: string;
  readonly data?: MessageInitShape<typeof Mesh.DataSchema>;
  readonly plain?: boolean;
  readonly wantAck?: boolean;
}

/** A packet as a gateway of the mesh publishes it. */
function publish(broker: FakeBroker, options: Published): void {
  const { from = ANNA, to = 0xffffffff, id = 7, channel = 'LongFast', psk = 'AQ==', gateway = GATEWAY } = options;
  const fields = { portnum: 1, payload: new TextEncoder().encode('hello'), ...options.data };
  const data = create(Mesh.DataSchema, fields);
  const key = channelKey(channel, psk);
  if (key === null) throw new Error('bad key');
  const ciphertext = cryptData(toBinary(Mesh.DataSchema, data), { key: key.key, from, id });
  const packet: MessageInitShape<typeof Mesh.MeshPacketSchema> = {
    from,
    to,
    id,
    channel: key.hash,
    hopLimit: 2,
    hopStart: 3,
    rxTime: 1_750_000_000,
    wantAck: options.wantAck ?? false,
    payloadVariant:
      options.plain === true ? { case: 'decoded', value: data } : { case: 'encrypted', value: ciphertext },
  };
  const envelope = create(Mqtt.ServiceEnvelopeSchema, { packet, channelId: channel, gatewayId: gateway });
  broker.publish(`msh/EU_868/2/e/${channel}/${gateway}`, toBinary(Mqtt.ServiceEnvelopeSchema, envelope));
}

interface Opened {
  readonly topic: string;
  readonly envelope: Mqtt.ServiceEnvelope;
  readonly packet: Mesh.MeshPacket;
  readonly data: Mesh.Data;
}

/** What we put on the broker, as a gateway reads it. */
function ours(broker: FakeBroker): Opened[] {
  return broker.published.flatMap(({ topic, payload }) => {
    const envelope = fromBinary(Mqtt.ServiceEnvelopeSchema, payload);
    const packet = envelope.packet;
    if (packet?.from !== OWN || packet.payloadVariant.case !== 'encrypted') return [];
    const psk = CHANNELS.find(({ name }) => name === envelope.channelId)?.psk ?? '';
    const key = channelKey(envelope.channelId, psk)?.key ?? new Uint8Array();
    const plain = cryptData(packet.payloadVariant.value, { key, from: OWN, id: packet.id });
    return [{ topic, envelope, packet, data: fromBinary(Mesh.DataSchema, plain) }];
  });
}

describe('joining', () => {
  it('makes the radio ready, with its channels', async () => {
    const { radio, sink } = await rig();
    expect(radio.state().status).toBe('ready');
    expect(sink.statuses()).toEqual(['connecting', 'handshaking', 'ready']);
    expect(radio.info()).toMatchObject({
      nodeNum: OWN,
      channels: [
        { index: 0, name: 'LongFast', role: 'primary', keyId: keyId(Uint8Array.of(1)) },
        { index: 1, name: 'Hikers', role: 'secondary', keyId: keyId(Buffer.from(SECRET, 'base64')) },
      ],
    });
    await radio.stop();
  });

  it('tells who we are at the start, after three hours, not after each reconnect', async () => {
    const { radio, broker, clock } = await rig();
    const infos = (): Opened[] => ours(broker).filter(({ data }) => data.portnum === 4);
    expect(infos()).toHaveLength(1);
    const user = fromBinary(Mesh.UserSchema, infos()[0]?.data.payload ?? new Uint8Array());
    expect(user).toMatchObject({ id: '!dadadada', longName: 'Matrix relay', shortName: 'MTX' });

    broker.cut('restarted');
    await clock.advance(60_000);
    expect(radio.state().status).toBe('ready');
    expect(infos()).toHaveLength(1);
    await clock.advance(3 * 3_600_000);
    expect(infos()).toHaveLength(2);
    await radio.stop();
  });

  it('goes on trying, and leaves nothing behind when stopped', async () => {
    const broker = new FakeBroker();
    broker.isUp = false;
    const { radio, clock } = await rig({}, broker);
    expect(radio.state()).toMatchObject({ status: 'backing-off', reason: 'no broker' });
    await clock.advance(300_000);
    expect(broker.attempts).toBeGreaterThan(5);
    broker.isUp = true;
    await clock.advance(30_000);
    expect(radio.state().status).toBe('ready');
    await radio.stop();
    expect(clock.pending()).toBe(0);
    expect(broker.clients.size).toBe(0);
  });

  it('refuses a key that is none', () => {
    const options = { channels: [{ name: 'x', psk: '%' }] };
    return expect(rig(options)).rejects.toMatchObject({ code: 'CONFIG_MQTT_CHANNEL' });
  });
});

describe('hearing', () => {
  it('decrypts a text by the key of its channel', async () => {
    const { sink, broker } = await rig();
    publish(broker, { id: 1 });
    publish(broker, { id: 2, channel: 'Hikers', psk: SECRET, data: { replyId: 77, emoji: 1 } });

    expect(sink.texts()).toEqual(['hello', 'hello']);
    expect(sink.packets).toMatchObject([
      { from: ANNA, channel: 0, portnum: 1, viaMqtt: true, encrypted: false, hopStart: 3, hopLimit: 2 },
      { channel: 1, replyId: 77, emoji: 1 },
    ]);
  });

  it('takes a packet once, however many gateways heard it', async () => {
    const { sink, broker } = await rig();
    publish(broker, { gateway: '!00000001' });
    publish(broker, { gateway: '!00000002' });
    expect(sink.packets).toHaveLength(1);
  });

  it.each<[string, Published]>([
    ['plaintext, which anybody can write', { plain: true }],
    ['another key', { psk: 'Ag==' }],
    ['our own packet from a gateway', { from: OWN }],
    ['a channel we do not have', { channel: 'Other' }],
  ])('leaves out %s', async (_what, packet) => {
    const { sink, broker } = await rig();
    publish(broker, packet);
    expect(sink.packets).toEqual([]);
    expect(sink.routing.filter(({ packetId }) => packetId === 7)).toEqual([]);
  });

  it('survives what is no envelope', async () => {
    const { sink, broker, radio } = await rig();
    broker.publish(`msh/EU_868/2/e/LongFast/${GATEWAY}`, Uint8Array.of(1, 2, 3));
    broker.publish(`msh/EU_868/2/e/LongFast/${GATEWAY}`, new Uint8Array(0));
    publish(broker, {});
    expect(sink.packets).toHaveLength(1);
    expect(radio.state().status).toBe('ready');
  });

  it('minds the wish not to be on brokers, on a public one', async () => {
    const silent = { data: { bitfield: 0 } };
    const own = await rig();
    publish(own.broker, silent);
    expect(own.sink.packets).toHaveLength(1);

    const address = { host: 'mqtt.example.org', port: 1883, tls: false, caFile: null, username: null, password: null };
    const open = await rig({ address });
    publish(open.broker, { ...silent, id: 1 });
    publish(open.broker, { data: { bitfield: 1 }, id: 2 });
    publish(open.broker, { id: 3 });
    expect(open.sink.packets.map(({ id }) => id)).toEqual([2, 3]);
  });

  it('gives up an attempt whose first messages could not be stored', async () => {
    const { broker, clock, radio, sink } = await rig();
    broker.cut('gone');
    publish(broker, { id: 3 });
    broker.onConnect = broker.published.slice(-1);
    sink.refusal = new Error('disk full');
    await clock.advance(1_000);
    expect(radio.state()).toMatchObject({ status: 'backing-off' });
    expect(broker.attempts).toBe(2);
    expect(broker.clients.size).toBe(0);

    sink.refusal = null;
    await clock.advance(60_000);
    expect(radio.state().status).toBe('ready');
    expect(sink.packets.map(({ id }) => id)).toEqual([3]);
  });

  it('learns names', async () => {
    const { sink, broker } = await rig();
    const user = create(Mesh.UserSchema, { id: '!a1b2c3d4', longName: 'Anna', shortName: 'ANN' });
    publish(broker, { data: { portnum: 4, payload: toBinary(Mesh.UserSchema, user) } });
    expect(sink.nodes).toMatchObject([{ num: ANNA, longName: 'Anna' }]);
  });

  it('keeps what the relay could not store, and takes nothing more until it can', async () => {
    const { sink, broker, clock, radio } = await rig();
    sink.refusal = new Error('disk full');
    publish(broker, { id: 1 });
    await clock.advance(0);
    expect(radio.state()).toMatchObject({ status: 'backing-off' });
    expect(broker.clients.size).toBe(0);
    sink.refusal = null;
    await clock.advance(60_000);
    expect(radio.state().status).toBe('ready');
    expect(sink.packets.map(({ id }) => id)).toEqual([1]);
  });
});

describe('sending', () => {
  it('publishes on the topic of the channel, encrypted, with our consent', async () => {
    const { radio, broker } = await rig();
    await radio.send({ ...textPacket(55, 'grüße'), channel: 1, replyId: 9 });
    const sent = ours(broker).find(({ packet }) => packet.id === 55);

    expect(sent?.topic).toBe('msh/EU_868/2/e/Hikers/!dadadada');
    expect(sent?.envelope).toMatchObject({ channelId: 'Hikers', gatewayId: '!dadadada' });
    expect(sent?.packet).toMatchObject({ from: OWN, to: 0xffffffff, hopLimit: 3, hopStart: 3, wantAck: true });
    expect(sent?.data).toMatchObject({ portnum: 1, replyId: 9, bitfield: 1 });
    expect(new TextDecoder().decode(sent?.data.payload)).toBe('grüße');
  });

  it('is accepted, and acknowledged when the broker gives it out', async () => {
    const { radio, sink } = await rig();
    await radio.send(textPacket(56));
    expect(sink.queue).toMatchObject([{ res: 0, packetId: 56 }]);
    expect(sink.routing).toContainEqual({ packetId: 56, error: 'NONE', from: OWN });
    expect(sink.packets).toEqual([]);
  });

  it('to one node is acknowledged by that node alone', async () => {
    const { radio, sink, broker } = await rig();
    await radio.send({ ...textPacket(57), to: ANNA });
    expect(sink.routing.filter(({ packetId }) => packetId === 57)).toEqual([]);
    publish(broker, { to: OWN, data: { portnum: 5, requestId: 57, payload: new Uint8Array(0) } });
    expect(sink.routing).toContainEqual({ packetId: 57, error: 'NONE', from: ANNA });
  });

  it('acknowledges what is addressed to us, and says who we are when asked', async () => {
    const { broker, clock } = await rig();
    await clock.advance(600_000);
    publish(broker, { to: OWN, id: 90, wantAck: true });
    publish(broker, { to: OWN, id: 91, data: { portnum: 4, payload: new Uint8Array(0), wantResponse: true } });
    publish(broker, { to: OWN, id: 92, data: { portnum: 4, payload: new Uint8Array(0), wantResponse: true } });
    const answers = ours(broker).filter(({ packet }) => packet.to === ANNA);

    expect(answers.map(({ data }) => [data.portnum, data.requestId])).toEqual([
      [5, 90],
      [4, 91],
    ]);
  });

  it.each([
    ['a channel that is not there', { channel: 5 }, 'RADIO_NO_CHANNEL'],
    ['a payload no gateway could put on the air', { payload: new Uint8Array(234) }, 'RADIO_TOO_LARGE'],
    ['a public key', { publicKey: new Uint8Array(32) }, 'RADIO_NO_PKI'],
  ])('refuses %s for good', async (_what, change, code) => {
    const { radio } = await rig();
    await expect(radio.send({ ...textPacket(58), ...change })).rejects.toMatchObject({
      code,
      retry: { kind: 'never' },
    });
  });

  it('waits while the broker is away', async () => {
    const { radio, broker } = await rig();
    broker.isUp = false;
    broker.cut('gone');
    await expect(radio.send(textPacket(59))).rejects.toMatchObject({
      code: 'RADIO_NOT_READY',
      retry: { kind: 'later' },
    });
  });
});

describe('private brokers', () => {
  it.each([
    '127.0.0.1',
    '192.168.1.5',
    '10.0.0.1',
    '172.16.0.1',
    '::1',
    '[fd00::1]',
    'mosquitto',
    'nas.local',
  ])('%s is one', (host) => {
    expect(isPrivateHost(host)).toBe(true);
  });

  it.each(['mqtt.example.org', '8.8.8.8', '172.32.0.1', '2001:db8::1'])('%s is none', (host) => {
    expect(isPrivateHost(host)).toBe(false);
  });
});
