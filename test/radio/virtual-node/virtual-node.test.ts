import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { nodeFrameAfter } from '../../../src/radio/codec/config-frames.ts';
import { decodeFromRadio } from '../../../src/radio/codec/from-radio.ts';
import { createRadio } from '../../../src/radio/radio.ts';
import type { SharedRadio } from '../../../src/radio/radio-tap.ts';
import { VirtualNode } from '../../../src/radio/virtual-node/virtual-node.ts';
import type { GuestPacket } from '../../../src/relay/ports.ts';
import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { packet as meshText } from '../../support/relay-fixture.ts';
import { RecordingSink, textPacket } from '../radio-rig.ts';
import { TestClient } from './test-client.ts';

const OWN = 0x10;
const ANNA = 0xa1b2c3d4;
const NOT_AUTHORIZED = 33;
const RATE_LIMIT_EXCEEDED = 38;

interface Rig {
  readonly device: VirtualRadio;
  readonly radio: SharedRadio;
  readonly sink: RecordingSink;
  readonly node: VirtualNode;
  readonly offered: GuestPacket[];
}

interface RigOptions {
  readonly allowAdmin?: readonly string[];
  readonly nodes?: number;
  /** Does not let packets of clients through; default: each goes to the radio at once. */
  readonly hold?: boolean;
  readonly isFull?: () => boolean;
  readonly connected?: boolean;
}

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function rig({
  allowAdmin = [],
  nodes = 1,
  hold = false,
  isFull,
  connected = true,
}: RigOptions = {}): Promise<Rig> {
  const device = await createVirtualRadio({
    nodeNum: OWN,
    longName: 'Shared',
    textIntervalMs: 0,
    nodes: Array.from({ length: nodes }, (_, index) => ({
      num: ANNA + index,
      longName: `Anna ${index}`,
      shortName: 'ANN',
    })),
  });
  closing.push(() => device.close());
  if (!connected) await device.refuse();
  const options = { name: 'main', clock: systemClock, random: Math.random, logger: silentLogger };
  const radio = createRadio({ ...options, connect: { type: 'tcp', host: device.host, port: device.port } });
  const sink = new RecordingSink();
  const offered: GuestPacket[] = [];
  const node = new VirtualNode({
    ...options,
    listen: { host: '127.0.0.1', port: 0 },
    allowAdmin,
    webClients: [],
    radio,
    offer: (packet) => {
      if (isFull?.() === true) return false;
      offered.push(packet);
      if (!hold) void radio.sendGuest(packet).then(() => packet.onTaken());
      return true;
    },
  });
  await node.start();
  closing.push(() => node.stop());
  radio.start(sink);
  closing.push(() => radio.stop());
  return { device, radio, sink, node, offered };
}

describe('the configuration', () => {
  it.each([4711, 69420, 69421])('is given from the cache as the radio gave it, for nonce %i', async (nonce) => {
    const { device, node } = await rig({ nodes: 3 });
    const first = await TestClient.ready(node.port);
    const direct = await directConfig(device, nonce);
    const shared = await TestClient.ready(node.port, nonce);

    expect(shared.raw.map(kind)).toEqual(direct.raw.map(kind));
    expect(first.got.at(-1)).toEqual({ case: 'configCompleteId', value: 4711 });
  });

  it('has nodes that were heard after the handshake', async () => {
    const { device, node } = await rig();
    const client = await TestClient.ready(node.port);
    device.addNode({ num: 0xbeef, longName: 'Newcomer', shortName: 'NEW', known: false });
    device.node(0xbeef).sendNodeInfo();
    await client.until(() => client.packets().length > 0);

    const late = await TestClient.ready(node.port, 69421);
    const names = late.got.flatMap((message) => (message.case === 'nodeInfo' ? [message.value.user?.longName] : []));
    expect(names).toContain('Newcomer');
  });

  it('is waited for while the radio was never reached, and kept while it is away', async () => {
    const { device, node } = await rig({ connected: false });
    const early = await TestClient.connect(node.port);
    early.send({ case: 'wantConfigId', value: 5 });
    early.send({ case: 'heartbeat', value: {} });
    await early.until(() => early.got.length > 0);
    expect(early.got.map((message) => message.case)).toEqual(['queueStatus']);

    await device.accept();
    await early.until(() => early.got.some((message) => message.case === 'configCompleteId'));
    await device.refuse();
    const later = await TestClient.ready(node.port);
    expect(later.got.at(-1)?.case).toBe('configCompleteId');
  });
});

function kind(raw: Uint8Array): string {
  // The field number of the variant tells the kind of the frame.
  return String(raw[0]);
}

/** What the device says to a client of its own. The relay's link is cut by that and comes back later. */
async function directConfig(device: VirtualRadio, nonce: number): Promise<TestClient> {
  return TestClient.ready(device.port, nonce);
}

describe('a node with a name that firmware cut in mid-character', () => {
  it('is kept, and changes with what it says next', () => {
    const cut = new TextEncoder().encode('Grüße').subarray(0, 3);
    const user = Uint8Array.of(0x12, cut.length, ...cut);
    const info = Uint8Array.of(0x08, 5, 0x12, user.length, ...user);
    const frame = nodeFrameAfter(Uint8Array.of(0x22, info.length, ...info), meshText({ from: 5, rxTimeS: 77 }));
    const message = decodeFromRadio(frame);

    expect(message).toMatchObject({ kind: 'node', node: { num: 5, longName: 'Gr?', lastHeardS: 77 } });
  });
});

describe('packets of the mesh', () => {
  it('reach every client byte for byte, in order', async () => {
    const { device, node, sink } = await rig();
    const clients = [
      await TestClient.ready(node.port),
      await TestClient.ready(node.port),
      await TestClient.ready(node.port),
    ];
    const texts = Array.from({ length: 20 }, (_, index) => `text ${index}`);
    for (const text of texts) device.node(ANNA).sendText(0, text);
    for (const client of clients) await client.until(() => client.texts().length === texts.length);

    for (const client of clients) expect(client.texts()).toEqual(texts);
    expect(sink.texts()).toEqual(texts);
    expect(clients[0]?.raw.slice(-20)).toEqual(clients[2]?.raw.slice(-20));
  });

  it('do not reach a client that never asked for the configuration', async () => {
    const { device, node } = await rig();
    const ready = await TestClient.ready(node.port);
    const silent = await TestClient.connect(node.port);
    device.node(ANNA).sendText(0, 'hello');
    await ready.until(() => ready.texts().length === 1);
    silent.send({ case: 'heartbeat', value: {} });
    await silent.until(() => silent.got.length > 0);

    expect(silent.got.map((message) => message.case)).toEqual(['queueStatus']);
  });

  it('do not wait for a client that does not read', async () => {
    const { device, node } = await rig({ nodes: 60 });
    const lazy = await TestClient.ready(node.port);
    const reader = await TestClient.ready(node.port);
    lazy.socket.pause();
    // Configurations nobody reads, until the system's own buffers and ours are full.
    for (let round = 0; round < 3_000; round += 1) lazy.send({ case: 'wantConfigId', value: 1000 + round });
    await until(() => node.clientCount === 1);
    device.node(ANNA).sendText(0, 'still here');
    await reader.until(() => reader.texts().length === 1);

    expect(reader.closed).toBe(false);
    lazy.socket.destroy();
  });
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise<void>((resolve) => setImmediate(resolve));
}

describe('packets of a client', () => {
  it('go out as they are, are acknowledged, shown to the others and handed to the relay', async () => {
    const { device, node, sink } = await rig();
    const anna = await TestClient.ready(node.port);
    const bert = await TestClient.ready(node.port);
    anna.text(77, 'from a phone');
    await bert.until(() => bert.texts().length === 1);
    await anna.until(() => anna.routing(77).length === 1);

    expect(anna.statuses()).toEqual([77]);
    expect(anna.routing(77)).toEqual([0]);
    expect(anna.texts()).toEqual([]);
    expect(bert.texts()).toEqual(['from a phone']);
    expect(bert.packets()[0]).toMatchObject({ from: OWN, id: 77 });
    expect(device.mesh.heard.map(({ packet }) => packet.id)).toEqual([77]);
    expect(sink.packets.find(({ id }) => id === 77)).toMatchObject({ from: OWN, portnum: 1, to: 0xffffffff });
  });

  it('go out once when the client sends them again', async () => {
    const { offered, node } = await rig();
    const client = await TestClient.ready(node.port);
    client.text(78, 'again');
    client.text(78, 'again');
    await client.until(() => client.statuses().length === 2);

    expect(offered).toHaveLength(1);
  });

  it('get an id when they have none', async () => {
    const { offered, node } = await rig();
    const client = await TestClient.ready(node.port);
    client.text(0, 'no id');
    await client.until(() => client.statuses().length === 1);

    expect(offered[0]?.id).not.toBe(0);
    expect(client.statuses()).toEqual([offered[0]?.id]);
  });

  it('are refused in plain words when too many wait', async () => {
    const { node } = await rig({ isFull: () => true });
    const client = await TestClient.ready(node.port);
    client.text(79, 'too much');
    await client.until(() => client.routing(79).length === 1);
    await client.until(() => client.got.some((message) => message.case === 'clientNotification'));

    expect(client.routing(79)).toEqual([RATE_LIMIT_EXCEEDED]);
  });
});

describe('the relay', () => {
  it('has its texts shown to the clients once the radio took them', async () => {
    const { node, radio } = await rig();
    const client = await TestClient.ready(node.port);
    await radio.send(textPacket(901, 'from Matrix'));
    await client.until(() => client.texts().length === 1);

    expect(client.packets()[0]).toMatchObject({ from: OWN, id: 901 });
  });
});

describe('admin messages', () => {
  const admin = { portnum: 6, payload: Uint8Array.of(1) };

  it('are refused by default, and told so', async () => {
    const { node, offered } = await rig();
    const client = await TestClient.ready(node.port);
    client.packet(80, admin, { to: OWN });
    await client.until(() => client.got.some((message) => message.case === 'clientNotification'));

    expect(client.routing(80)).toEqual([NOT_AUTHORIZED]);
    expect(offered).toEqual([]);
  });

  it('are refused when they may hide in a ciphertext', async () => {
    const { node, offered } = await rig();
    const client = await TestClient.ready(node.port);
    const payloadVariant = { case: 'encrypted', value: new Uint8Array(20) } as const;
    client.send({ case: 'packet', value: { id: 81, to: OWN, payloadVariant } });
    await client.until(() => client.routing(81).length === 1);

    expect(offered).toEqual([]);
  });

  it.each([[['127.0.0.1']], [['127.0.0.0/8']], [['localhost']]])('pass from %j', async (allowAdmin) => {
    const { node, offered } = await rig({ allowAdmin, hold: true });
    const client = await TestClient.ready(node.port);
    client.packet(82, admin, { to: OWN });
    await client.until(() => client.statuses().length === 1);

    expect(offered.map(({ id, isText }) => [id, isText])).toEqual([[82, false]]);
  });

  it('do not pass from an address that is not named', async () => {
    const { node, offered } = await rig({ allowAdmin: ['192.0.2.1', '::1', 'nonsense', '10.0.0.0/99'] });
    const client = await TestClient.ready(node.port);
    client.packet(83, admin, { to: OWN });
    await client.until(() => client.routing(83).length === 1);

    expect(offered).toEqual([]);
  });
});

describe('the radio', () => {
  it('that restarts tells the clients, who are given the new configuration', async () => {
    const { device, node } = await rig();
    const client = await TestClient.ready(node.port);
    await device.reboot({ tcp: 'stay', downMs: 0 });
    await client.until(() => client.got.some((message) => message.case === 'rebooted'));
    client.send({ case: 'wantConfigId', value: 4712 });
    await client.until(() =>
      client.got.some((message) => message.case === 'configCompleteId' && message.value === 4712),
    );
  });

  it('is let go and taken back, the clients stay', async () => {
    const { device, node, radio } = await rig();
    const client = await TestClient.ready(node.port);
    await radio.release(null);
    await until(() => !device.connected);
    expect(radio.state()).toMatchObject({ status: 'stopped', reason: 'released' });

    radio.claim();
    await until(() => radio.state().status === 'ready');
    device.node(ANNA).sendText(0, 'back');
    await client.until(() => client.texts().length === 1);
  });

  it('comes back by itself after the time it was let go for', async () => {
    const { radio } = await rig();
    await until(() => radio.state().status === 'ready');
    await radio.release(20);
    await until(() => radio.state().status === 'ready');
  });
});

describe('listening', () => {
  it('is tried again when the port is taken', async () => {
    const squatter = createServer();
    squatter.listen(0, '127.0.0.1');
    await once(squatter, 'listening');
    const { port } = squatter.address() as { port: number };
    const { radio } = await rig();
    const clock = new ManualClock();
    const listen = { host: '127.0.0.1', port };
    const node = new VirtualNode({
      listen,
      allowAdmin: [],
      webClients: [],
      radio,
      clock,
      logger: silentLogger,
      offer: () => true,
    });
    await node.start();
    expect(node.port).toBe(0);

    squatter.close();
    await once(squatter, 'close');
    await clock.advance(30_000);
    await until(() => node.port === port);
    await node.stop();
    expect(clock.pending()).toBe(0);
  });

  it('ends with everything closed', async () => {
    const { node } = await rig();
    const client = await TestClient.ready(node.port);
    await node.stop();
    await client.until(() => client.closed);
    expect(node.clientCount).toBe(0);
  });
});
