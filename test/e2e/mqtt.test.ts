import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { channelKey } from '../../src/radio/codec/channel-key.ts';
import { createMqttRadio } from '../../src/radio/mqtt/mqtt-radio.ts';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { RecordingSink } from '../radio/radio-rig.ts';
import { eventually } from './support/eventually.ts';
import { Mosquitto, mosquittoMissing } from './support/mosquitto.ts';
import { type DecodedPacket, MqttGateway } from './support/mqtt-gateway.ts';
import { type RelayHome, startRelay } from './support/relay-home.ts';

const missing = inject('pythonMissing').meshtastic ?? mosquittoMissing();
if (missing !== null && process.env.MMRELAY_E2E_REQUIRED === '1') throw new Error(missing);
const title = 'an MQTT radio on mosquitto';

const ACCOUNT = { user: 'relay', password: 'broker-password' };
const ROOT = 'msh/EU_868';
const OWN = { id: '!dadadada', num: 0xdadadada };
const ANNA = 0xa1b2c3d4;

/** For a broker that does not let it in. */
function unwelcomeRadio(access: { readonly port: number; readonly tls: boolean; readonly password: string }) {
  return createMqttRadio({
    name: 'stranger',
    address: { host: '127.0.0.1', caFile: null, username: 'relay', ...access },
    rootTopic: ROOT,
    nodeNum: 7,
    longName: 'x',
    shortName: 'x',
    channels: [{ name: 'LongFast', psk: 'AQ==' }],
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
  });
}

describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
  let broker: Mosquitto;
  let gateway: MqttGateway;
  let relay: RelayHome;

  beforeAll(async () => {
    broker = await Mosquitto.create(ACCOUNT);
    gateway = await MqttGateway.connect({ port: broker.port, ...ACCOUNT, root: ROOT, id: '!0badcafe' });
    relay = await startRelay({
      meshtastic: {
        connection_type: 'mqtt',
        meshnet_name: 'E2E',
        mqtt: {
          host: '127.0.0.1',
          port: broker.port,
          username: ACCOUNT.user,
          password: ACCOUNT.password,
          root_topic: ROOT,
          node_id: OWN.id,
          long_name: 'Matrix relay',
          channels: [{ name: 'LongFast', psk: 'AQ==' }],
        },
      },
    });
  });
  afterAll(async () => {
    await relay?.close();
    await gateway?.close();
    await broker?.close();
  });

  const texts = (): DecodedPacket[] => gateway.heard.filter(({ portnum }) => portnum === 1);

  it('says who it is, in a way the official protobufs read', async () => {
    const info = await eventually('the NodeInfo', () => gateway.heard.find(({ portnum }) => portnum === 4) ?? null);
    expect(info).toMatchObject({ from: OWN.num, userId: OWN.id, longName: 'Matrix relay', okToMqtt: true });
  });

  it('brings a text of the mesh into the room, once for two gateways, and no JSON', async () => {
    await gateway.raw(`${ROOT}/2/json/LongFast/!0badcafe`, '{"type":"sendtext","payload":"no"}');
    await gateway.raw(`${ROOT}/2/e/LongFast/!0badcafe`, 'no envelope');
    await gateway.say(ANNA, 101, 'grüße from the mesh');
    await gateway.say(ANNA, 101, 'grüße from the mesh');
    await gateway.say(ANNA, 102, 'second');
    await eventually('both', async () => ((await relay.texts()).length >= 2 ? true : null));
    expect(await relay.texts()).toEqual(['grüße from the mesh', 'second']);
  });

  it('puts a text of the room on the broker as a node of the mesh would', async () => {
    await relay.person.say(relay.roomId, 'hello mesh');
    const sent = await eventually('the packet', () => texts().find(({ text }) => text.includes('hello mesh')) ?? null);
    expect(sent).toMatchObject({
      topic: `${ROOT}/2/e/LongFast/${OWN.id}`,
      channelId: 'LongFast',
      gatewayId: OWN.id,
      from: OWN.num,
      to: 0xffffffff,
      hash: 8,
      hopLimit: 3,
      hopStart: 3,
      okToMqtt: true,
    });
    expect(await relay.texts()).not.toContain('hello mesh');
  });

  it('loses nothing and says nothing twice when the broker dies and comes back', async () => {
    const before = texts().length;
    await relay.person.say(relay.roomId, 'before');
    await eventually('the first', () => (texts().length > before ? true : null));
    await broker.kill();
    await eventually('the loss', () => (relay.daemon.health().state === 'ready' ? null : true));
    await relay.person.say(relay.roomId, 'meanwhile 1');
    await relay.person.say(relay.roomId, 'meanwhile 2');
    await broker.start();
    await eventually('the gateway back', () => (gateway.isConnected ? true : null));
    await relay.person.say(relay.roomId, 'after');
    await eventually('all', () => (texts().length >= before + 4 ? true : null), 60_000);
    await gateway.say(ANNA, 103, 'still hearing');
    await eventually('the mesh', async () => ((await relay.texts()).includes('still hearing') ? true : null));

    const said = texts()
      .slice(before)
      .map(({ text }) => text.replace(/^.*: /, ''));
    expect(said).toEqual(['before', 'meanwhile 1', 'meanwhile 2', 'after']);
  });

  it('says in plain words that the broker does not want us', async () => {
    const sink = new RecordingSink();
    const radio = unwelcomeRadio({ port: broker.port, tls: false, password: 'wrong' });
    radio.start(sink);
    const reason = await eventually('the refusal', () => radio.state().reason);
    expect(reason).toContain('user name');
    expect(reason).not.toContain('wrong');
    await radio.stop();
    expect(radio.state().status).toBe('stopped');
  });
});

describe.skipIf(missing !== null)(missing === null ? 'two radios' : `two radios (skipped: ${missing})`, () => {
  let broker: Mosquitto;
  let gateway: MqttGateway;
  let radio: VirtualRadio;
  let relay: RelayHome;

  beforeAll(async () => {
    broker = await Mosquitto.create(ACCOUNT);
    gateway = await MqttGateway.connect({ port: broker.port, ...ACCOUNT, root: ROOT, id: '!0badcafe' });
    radio = await createVirtualRadio({
      modemPreset: 'LONG_FAST',
      region: 'US',
      nodes: [{ num: ANNA, longName: 'Anna', shortName: 'ANN' }],
    });
    const mqtt = {
      host: '127.0.0.1',
      port: broker.port,
      username: ACCOUNT.user,
      password: ACCOUNT.password,
      root_topic: ROOT,
      channels: [{ name: 'LongFast', psk: 'AQ==' }],
    };
    relay = await startRelay({
      meshtastic: [
        { name: 'roof', connection_type: 'tcp', host: radio.host, port: radio.port, meshnet_name: 'E2E' },
        { name: 'broker', connection_type: 'mqtt', meshnet_name: 'E2E', mqtt },
      ],
      radios: { failover: true },
    });
    await eventually('the first NodeInfo', () => (gateway.heard.length > 0 ? true : null));
  });
  afterAll(async () => {
    await relay?.close();
    await radio?.close();
    await gateway?.close();
    await broker?.close();
  });

  const onBroker = (): string[] => gateway.heard.filter(({ portnum }) => portnum === 1).map(({ text }) => text);

  it('bring one packet that both heard into the room once', async () => {
    const id = radio.node(ANNA).sendText(0, 'heard twice');
    await gateway.say(ANNA, id, 'heard twice');
    await gateway.say(ANNA, 901, 'broker first');
    const packet = radio.mesh.packetFrom(ANNA, { id: 901, portnum: 1, payload: Buffer.from('broker first') });
    await eventually('both texts', async () => ((await relay.texts()).length >= 2 ? true : null));
    radio.injectPacket(packet);
    radio.node(ANNA).sendText(0, 'last');
    await eventually('the last', async () => ((await relay.texts()).includes('last') ? true : null));
    expect(await relay.texts()).toEqual(['heard twice', 'broker first', 'last']);
  });

  it('send by the room’s own, and by the other while that is down', async () => {
    await relay.person.say(relay.roomId, 'by radio');
    await eventually('it on the air', () => (radio.mesh.heard.length > 0 ? true : null));
    await radio.refuse();
    await relay.person.say(relay.roomId, 'by broker');
    await eventually('it on the broker', () => (onBroker().length > 0 ? true : null), 60_000);
    await gateway.say(ANNA, 902, 'heard by broker alone');
    await eventually('the text', async () => ((await relay.texts()).includes('heard by broker alone') ? true : null));
    await radio.accept();
    await eventually('the radio back', () => (radio.connected ? true : null), 60_000);
    await relay.person.say(relay.roomId, 'by radio again');
    const onAir = (): string[] => radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));
    await eventually('it on the air', () => (onAir().length >= 2 ? true : null), 60_000);

    expect(onAir().map((text) => text.replace(/^.*: /, ''))).toEqual(['by radio', 'by radio again']);
    expect(onBroker().map((text) => text.replace(/^.*: /, ''))).toEqual(['by broker']);
  });
});

describe.skipIf(missing !== null)(
  missing === null ? 'a broker of one’s own' : `a broker of one’s own (skipped: ${missing})`,
  () => {
    const HIKERS = { name: 'Hikers', key: '09'.repeat(32), hash: 0 };
    const NEIGHBOUR = 0x0badcafe;
    let broker: Mosquitto;
    let gateway: MqttGateway;
    let relay: RelayHome;

    beforeAll(async () => {
      broker = await Mosquitto.create(ACCOUNT, { tls: true });
      const psk = Buffer.from(HIKERS.key, 'hex').toString('base64');
      const channel = { ...HIKERS, hash: channelKey(HIKERS.name, psk)?.hash ?? 0 };
      const { certificate } = broker;
      gateway = await MqttGateway.connect({
        port: broker.port,
        ...ACCOUNT,
        root: ROOT,
        id: '!0badcafe',
        channel,
        certificate,
      });
      await gateway.put({ from: ANNA, id: 200, text: 'kept since yesterday', retain: true });
      relay = await startRelay({
        meshtastic: {
          connection_type: 'mqtt',
          meshnet_name: 'E2E',
          mqtt: {
            host: '127.0.0.1',
            port: broker.port,
            tls: true,
            ca_file: certificate,
            username: ACCOUNT.user,
            password: ACCOUNT.password,
            root_topic: ROOT,
            node_id: OWN.id,
            channels: [{ name: HIKERS.name, psk }],
          },
        },
      });
    });
    afterAll(async () => {
      await relay?.close();
      await gateway?.close();
      await broker?.close();
    });

    const texts = (): DecodedPacket[] => gateway.heard.filter(({ portnum }) => portnum === 1);

    it('is reached over TLS, with a certificate that only its owner vouches for, on a channel with a key of its own', async () => {
      await gateway.say(ANNA, 201, 'from the hikers');
      await relay.person.say(relay.roomId, 'to the hikers');
      await eventually('the text', async () => ((await relay.texts()).includes('from the hikers') ? true : null));
      const sent = await eventually('ours', () => texts().find(({ text }) => text.includes('to the hikers')) ?? null);
      expect(sent).toMatchObject({ channelId: HIKERS.name, from: OWN.num });
    });

    it('brings nothing into the room that it only kept, that is for others, or that was ours', async () => {
      const ours = texts()[0];
      await gateway.put({ from: ANNA, id: 202, text: 'for the neighbour', to: NEIGHBOUR });
      // What firmware publishes for a message to one node's own key; and the same by a gateway that takes the wrong topic.
      await gateway.put({ from: ANNA, id: 203, text: 'by key', to: OWN.num, channelId: 'PKI' });
      await gateway.put({
        from: ANNA,
        id: 204,
        text: 'by key',
        to: OWN.num,
        channelId: 'PKI',
        topicChannel: HIKERS.name,
      });
      // A gateway that heard our text on the air publishes it as its uplink.
      await gateway.put({ from: OWN.num, id: ours?.id ?? 0, text: String(ours?.text) });
      const before = texts().length;
      await gateway.say(ANNA, 205, 'and on');
      await eventually('the last', async () => ((await relay.texts()).includes('and on') ? true : null));

      expect(await relay.texts()).toEqual(['from the hikers', 'and on']);
      expect(texts()).toHaveLength(before);
    });

    it('is refused in plain words when nobody vouches for it', async () => {
      const radio = unwelcomeRadio({ port: broker.port, tls: true, password: 'x' });
      radio.start(new RecordingSink());
      const reason = await eventually('the refusal', () => radio.state().reason);
      expect(reason).toContain('mqtt.ca_file');
      await radio.stop();
    });
  },
);
