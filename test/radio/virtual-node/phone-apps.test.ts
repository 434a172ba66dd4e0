import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { Admin, Mesh, Xmodem } from '@meshtastic/protobufs';
import { afterEach, describe, expect, it } from 'vitest';
import { OWN, sharedRadios } from './shared-radio.ts';
import { TestClient } from './test-client.ts';

const NOT_AUTHORIZED = 33;
const ADMIN_APP = 6;
const CONFIG_ONLY = 69420;
const NODES_ONLY = 69421;

type Order = NonNullable<Admin.AdminMessage['payloadVariant']>;

const { shared, closeAll } = sharedRadios();
afterEach(closeAll);

function order(client: TestClient, id: number, payloadVariant: Order): void {
  const payload = toBinary(Admin.AdminMessageSchema, create(Admin.AdminMessageSchema, { payloadVariant }));
  client.packet(id, { portnum: ADMIN_APP, payload, wantResponse: true }, { to: OWN, wantAck: true });
}

const setOwner: Order = { case: 'setOwner', value: create(Mesh.UserSchema, { longName: 'Mine' }) };
const notices = (client: TestClient): number =>
  client.got.filter((message) => message.case === 'clientNotification').length;

function privateKey(client: TestClient): number | undefined {
  for (const message of client.got)
    if (message.case === 'config' && message.value.payloadVariant.case === 'security')
      return message.value.payloadVariant.value.privateKey.length;
  return undefined;
}

/** The last frame of what was asked: everything before it has come. */
async function heartbeat(client: TestClient): Promise<void> {
  const before = client.statuses().length;
  client.send({ case: 'heartbeat', value: { nonce: 0 } });
  await client.until(() => client.statuses().length > before);
}

describe('the connect of the Android app', () => {
  it('has its two stages, a heartbeat between them, and a clock that nobody is scolded for', async () => {
    const { node, offered } = await shared();
    const client = await TestClient.ready(node.port, CONFIG_ONLY);
    await heartbeat(client);
    client.send({ case: 'wantConfigId', value: NODES_ONLY });
    await client.until(() => client.got.at(-1)?.case === 'configCompleteId' && client.got.at(-1)?.value === NODES_ONLY);
    order(client, 70, { case: 'setTimeOnly', value: 1_790_000_000 });
    await client.until(() => client.routing(70).length === 1);
    await heartbeat(client);

    const stages = client.got.flatMap((message) => (message.case === 'configCompleteId' ? [message.value] : []));
    expect(stages).toEqual([CONFIG_ONLY, NODES_ONLY]);
    expect(client.got[0]).toMatchObject({ case: 'myInfo', value: { myNodeNum: OWN, pioEnv: 'native' } });
    expect(client.routing(70)).toEqual([NOT_AUTHORIZED]);
    expect(notices(client)).toBe(0);
    expect(offered).toEqual([]);
  });

  it('is told of as many nodes as there are', async () => {
    const { node, peer } = await shared();
    const user = toBinary(Mesh.UserSchema, create(Mesh.UserSchema, { id: '!0000beef', longName: 'Newcomer' }));
    const payloadVariant = { case: 'decoded', value: { portnum: 4, payload: user } } as const;
    peer.last.send({ case: 'packet', value: { from: 0xbeef, to: 0xffffffff, id: 9, payloadVariant } });
    const client = await TestClient.ready(node.port);

    const nodes = client.got.filter((message) => message.case === 'nodeInfo').length;
    expect(client.got[0]).toMatchObject({ case: 'myInfo', value: { nodedbCount: nodes } });
  });
});

describe('settings', () => {
  it('that are read by themselves are refused without a word in the app', async () => {
    const { node } = await shared();
    const client = await TestClient.ready(node.port);
    order(client, 71, { case: 'getConfigRequest', value: Admin.AdminMessage_ConfigType.LORA_CONFIG });
    order(client, 72, { case: 'getDeviceMetadataRequest', value: true });
    await client.until(() => client.routing(72).length === 1);
    await heartbeat(client);
    expect([client.routing(71), client.routing(72), notices(client)]).toEqual([[NOT_AUTHORIZED], [NOT_AUTHORIZED], 0]);
  });

  it('that are to be changed are refused in words, once a connection', async () => {
    const { node } = await shared();
    const client = await TestClient.ready(node.port);
    order(client, 73, { case: 'beginEditSettings', value: true });
    order(client, 74, setOwner);
    await client.until(() => client.routing(74).length === 1);
    await heartbeat(client);
    expect([client.routing(73), client.routing(74), notices(client)]).toEqual([[NOT_AUTHORIZED], [NOT_AUTHORIZED], 1]);
  });

  it('that an admitted client changed are asked for again when it is done', async () => {
    const { node, peer, clock } = await shared({ allowAdmin: ['127.0.0.1'] });
    const client = await TestClient.ready(node.port);
    const before = peer.last.nonces();
    order(client, 75, { case: 'beginEditSettings', value: true });
    order(client, 76, setOwner);
    await client.until(() => client.statuses().length === 2);
    await clock.advance(1_900);
    expect(peer.last.nonces()).toEqual(before);
    await clock.advance(200);
    expect(peer.last.nonces()).toEqual([...before, CONFIG_ONLY]);
  });

  it('and the answers to orders are seen by admitted clients only', async () => {
    const { node, peer } = await shared();
    const client = await TestClient.ready(node.port);
    const payloadVariant = { case: 'decoded', value: { portnum: ADMIN_APP, payload: Uint8Array.of(1) } } as const;
    peer.last.send({ case: 'packet', value: { from: OWN, to: OWN, id: 10, payloadVariant } });
    peer.last.sendText(11, 'for all');
    await client.until(() => client.texts().length === 1);
    expect(client.packets().map(({ id }) => id)).toEqual([11]);
  });

  it('come with the private key of the radio for admitted clients only', async () => {
    const stranger = await TestClient.ready((await shared()).node.port);
    const admitted = await TestClient.ready((await shared({ allowAdmin: ['127.0.0.1'] })).node.port);
    expect([privateKey(stranger), privateKey(admitted)]).toEqual([0, 32]);
  });
});

describe('what else a client may say', () => {
  it('asks the radio to introduce itself, with a heartbeat of nonce 1', async () => {
    const { node, peer } = await shared();
    const client = await TestClient.ready(node.port);
    client.send({ case: 'heartbeat', value: { nonce: 1 } });
    await heartbeat(client);
    expect(peer.last.heard).toContainEqual({ case: 'heartbeat', value: expect.objectContaining({ nonce: 1 }) });
    expect(client.statuses()).toHaveLength(1);
  });

  it.each([
    ['STX', 'NAK'],
    ['SOH', 'NAK'],
    ['ACK', 'CAN'],
    ['CAN', 'ACK'],
  ] as const)('begins a file transfer with %s, and hears %s: there are no files', async (control, answer) => {
    const { node } = await shared();
    const client = await TestClient.ready(node.port);
    client.send({ case: 'xmodemPacket', value: { control: Xmodem.XModem_Control[control] } });
    await client.until(() => client.got.at(-1)?.case === 'xmodemPacket');
    expect(client.got.at(-1)?.value).toMatchObject({ control: Xmodem.XModem_Control[answer] });
  });

  it('is the broker’s part of the MQTT proxy, or nothing: it goes on as if that had not been', async () => {
    const { node } = await shared();
    const client = await TestClient.ready(node.port);
    client.send({ case: 'mqttClientProxyMessage', value: { topic: 'msh/2/e/x/!y' } });
    client.send({ case: 'heartbeat', value: {} });
    await client.until(() => client.statuses().length === 1);
    expect(client.closed).toBe(false);
  });

  it('hears the log of the radio, and what the radio says beside packets', async () => {
    const { node, peer } = await shared();
    const client = await TestClient.ready(node.port);
    const verification = { case: 'keyVerificationNumberInform', value: { securityNumber: 4711 } } as const;
    peer.last.send({ case: 'logRecord', value: { message: 'Booted', source: 'main' } });
    peer.last.send({ case: 'clientNotification', value: { message: 'Compare', payloadVariant: verification } });
    await client.until(() => notices(client) === 1);
    expect(client.got.slice(-2)).toMatchObject([
      { case: 'logRecord', value: { message: 'Booted' } },
      { case: 'clientNotification', value: { payloadVariant: verification } },
    ]);
    expect(fromBinary(Mesh.FromRadioSchema, client.raw.at(-1) ?? new Uint8Array()).payloadVariant.case).toBe(
      'clientNotification',
    );
  });
});
