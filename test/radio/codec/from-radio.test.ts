import { readdirSync } from 'node:fs';
import { create, toBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyId } from '../../../src/radio/codec/channel-key.ts';
import { encodeFrame, FrameDecoder } from '../../../src/radio/codec/framing.ts';
import { decodeFromRadio, decodeRouting, type FromRadioMessage } from '../../../src/radio/codec/from-radio.ts';
import { CAPTURES, fromRadioFrames } from '../captures.ts';

const KIND_OF: Readonly<Record<string, string>> = {
  packet: 'packet',
  myInfo: 'my-info',
  nodeInfo: 'node',
  metadata: 'metadata',
  channel: 'channel',
  configCompleteId: 'config-complete',
  queueStatus: 'queue-status',
};

function ofKind<Kind extends FromRadioMessage['kind']>(name: (typeof CAPTURES)[number], kind: Kind) {
  return fromRadioFrames(name)
    .map((frame) => decodeFromRadio(frame.bytes))
    .filter((message): message is Extract<FromRadioMessage, { kind: Kind }> => message?.kind === kind);
}

describe('frames of a real firmware', () => {
  it('are those of every transcript there is', () => {
    const files = readdirSync(new URL('../fixtures/', import.meta.url)).filter((name) => name.endsWith('.jsonl'));
    expect(files.map((name) => name.replace('.jsonl', '')).sort()).toEqual([...CAPTURES].sort());
  });

  it.each(CAPTURES)('%s: read from a stream cut into odd pieces, they are the same', (name) => {
    const frames = fromRadioFrames(name).map(({ bytes }) => bytes);
    const stream = Buffer.concat(frames.map(encodeFrame));
    const read: Uint8Array[] = [];
    const decoder = new FrameDecoder({ onFrame: (payload) => read.push(payload.slice()) > 0 });
    for (let at = 0, size = 1; at < stream.length; at += size, size = (size % 97) + 1)
      decoder.push(stream.subarray(at, at + size));
    expect(read.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(
      frames.map((bytes) => Buffer.from(bytes).toString('hex')),
    );
  });

  it.each(CAPTURES)('%s: every frame decodes to its kind', (name) => {
    for (const frame of fromRadioFrames(name)) {
      const variant = Object.keys(frame.msg)[0] ?? '';
      const message = decodeFromRadio(frame.bytes);
      expect(message, variant).not.toBeNull();
      const expected = KIND_OF[variant];
      if (expected !== undefined) expect(message?.kind).toBe(expected);
      else expect(['other', 'lora', 'power']).toContain(message?.kind);
    }
  });

  it('reads identity, firmware, channels, LoRa settings and nodes', () => {
    expect(ofKind('A-config-and-dm-with-ack', 'my-info')).toEqual([{ kind: 'my-info', nodeNum: 16, bootCount: 0 }]);
    expect(ofKind('A-config-and-dm-with-ack', 'metadata')).toEqual([
      { kind: 'metadata', firmwareVersion: '2.7.26.54e0d8d', hwModel: 'PORTDUINO', hasPkc: true },
    ]);
    const channels = ofKind('A-config-and-dm-with-ack', 'channel').map(({ channel }) => channel);
    expect(channels.length).toBe(8);
    expect(channels[0]).toEqual({ index: 0, name: '', role: 'primary', keyId: keyId(Uint8Array.of(1)) });
    expect(channels[7]).toEqual({ index: 7, name: '', role: 'disabled', keyId: null });
    expect(ofKind('A-config-and-dm-with-ack', 'lora').map(({ lora }) => lora)).toMatchObject([
      { modemPreset: 'LONG_FAST', bandwidthKhz: 250, spreadFactor: 11, codingRate: 5, hopLimit: 3, txEnabled: true },
    ]);
    expect(ofKind('A-config-and-dm-with-ack', 'node')[0]?.node).toMatchObject({
      num: 16,
      longName: 'Node4403',
      shortName: 'N3',
      hwModel: 'PORTDUINO',
      role: 'CLIENT',
      favorite: true,
      position: null,
      metrics: { batteryLevel: 101, uptimeS: 1156 },
    });
  });

  it('69420 brings the configuration without other nodes, 69421 the nodes alone', () => {
    expect(ofKind('B-config-nonce-69420', 'node').map(({ node }) => node.num)).toEqual([17]);
    expect(ofKind('B-config-nonce-69420', 'config-complete')).toEqual([{ kind: 'config-complete', nonce: 69420 }]);
    expect(ofKind('B-config-nonce-69421', 'node').map(({ node }) => node.num)).toEqual([17, 16]);
    expect(ofKind('B-config-nonce-69421', 'my-info')).toEqual([]);
  });

  it('reads the queue and the acknowledgement of a direct message', () => {
    expect(ofKind('A-config-and-dm-with-ack', 'queue-status').map(({ status }) => status)).toContainEqual({
      res: 0,
      free: 15,
      maxlen: 16,
      packetId: 0x12345678,
    });
    const answers = ofKind('A-config-and-dm-with-ack', 'packet').map(({ packet }) => decodeRouting(packet));
    expect(answers.filter((answer) => answer !== null)).toEqual([{ packetId: 0x12345678, error: 'NONE', from: 17 }]);
  });

  it('reads a text, and hands on what the radio could not decrypt', () => {
    const texts = ofKind('B-receives-dm', 'packet').filter(({ packet }) => packet.portnum === 1);
    expect(texts.map(({ packet }) => new TextDecoder().decode(packet.payload))).toEqual(['grüße 🌐 from capture']);
    expect(texts[0]?.packet).toMatchObject({ from: 16, to: 17, id: 0x12345678, wantAck: true, pkiEncrypted: true });
    const sealed = ofKind('A-config-and-dm-with-ack', 'packet').filter(({ packet }) => packet.encrypted);
    expect(sealed.map(({ packet }) => [packet.portnum, packet.payload.length])).toEqual([[0, 69]]);
  });
});

const nodeInfo = (user: Partial<Mesh.User>): Uint8Array =>
  toBinary(
    Mesh.FromRadioSchema,
    create(Mesh.FromRadioSchema, {
      payloadVariant: {
        case: 'nodeInfo',
        value: create(Mesh.NodeInfoSchema, { num: 9, user: create(Mesh.UserSchema, user) }),
      },
    }),
  );

describe('frames no firmware should send', () => {
  it('never throws, whatever the bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 512 }), (bytes) => {
        expect(() => decodeFromRadio(bytes)).not.toThrow();
      }),
      { numRuns: 2000 },
    );
    const real = fromRadioFrames('A-config-and-dm-with-ack').map((frame) => frame.bytes);
    fc.assert(
      fc.property(fc.constantFrom(...real), fc.nat(), fc.integer({ min: 0, max: 255 }), (bytes, at, value) => {
        const damaged = bytes.slice();
        damaged[at % damaged.length] = value;
        expect(() => {
          const message = decodeFromRadio(damaged);
          if (message?.kind === 'packet') decodeRouting(message.packet);
        }).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps a node whose name was cut through a character', () => {
    const bytes = Buffer.from(nodeInfo({ longName: 'Zoë🌐', shortName: 'Z' }));
    bytes[bytes.indexOf(Buffer.from('🌐')) + 3] = 0x41;
    const message = decodeFromRadio(Uint8Array.from(bytes));
    expect(message?.kind === 'node' ? message.node.longName : null).toBe('Zoë???A');
  });

  it('names enum values it does not know by their number', () => {
    const message = decodeFromRadio(nodeInfo({ hwModel: 254 as Mesh.HardwareModel }));
    expect(message?.kind === 'node' ? message.node.hwModel : null).toBe('254');
  });

  it('is null for a routing payload that is none, and for packets that are no routing answers', () => {
    const [first] = ofKind('A-config-and-dm-with-ack', 'packet');
    if (first === undefined) throw new Error('the capture holds a packet');
    const ack = { ...first.packet, portnum: 5, requestId: 7, from: 3 };
    expect(decodeRouting({ ...ack, payload: new Uint8Array(0) })).toEqual({ packetId: 7, error: 'NONE', from: 3 });
    expect(decodeRouting({ ...ack, payload: Uint8Array.of(0x18, 38) })?.error).toBe('RATE_LIMIT_EXCEEDED');
    expect(decodeRouting({ ...ack, payload: Uint8Array.of(0x18, 99) })?.error).toBe('99');
    expect(decodeRouting({ ...ack, payload: Uint8Array.of(0xff) })).toBeNull();
    expect(decodeRouting({ ...ack, requestId: 0 })).toBeNull();
    expect(decodeRouting({ ...ack, portnum: 1 })).toBeNull();
  });
});
