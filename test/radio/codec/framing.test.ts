import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder, MAX_FRAME_PAYLOAD_BYTES } from '../../../src/radio/codec/framing.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

function decodeAll(chunks: readonly Uint8Array[], accept: (payload: Uint8Array) => boolean = () => true) {
  const frames: string[] = [];
  const junk: number[] = [];
  let maxPending = 0;
  const decoder = new FrameDecoder({
    onFrame: (payload) => {
      if (!accept(payload)) return false;
      frames.push(Buffer.from(payload).toString('hex'));
      return true;
    },
    onJunk: (part) => junk.push(...part),
  });
  for (const chunk of chunks) {
    decoder.push(chunk);
    maxPending = Math.max(maxPending, decoder.pendingBytes);
  }
  return { frames, junk, maxPending };
}

function split(stream: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const sorted = [...new Set(cuts.map((cut) => cut % (stream.length + 1)))].sort((a, b) => a - b);
  const edges = [0, ...sorted, stream.length];
  return edges.slice(1).map((edge, index) => stream.subarray(edges[index], edge));
}

/** Junk that holds no complete header with a believable length, also not together with what follows it. */
function isHarmless(junk: Uint8Array): boolean {
  const followed = Buffer.concat([junk, bytes(0x94, 0xc3, 0, 0)]);
  for (let at = 0; at < junk.length; at += 1) {
    if (followed[at] !== 0x94 || followed[at + 1] !== 0xc3) continue;
    if (((followed[at + 2] ?? 0) << 8) + (followed[at + 3] ?? 0) <= MAX_FRAME_PAYLOAD_BYTES) return false;
  }
  return true;
}

const spicyByte = fc.oneof(fc.constantFrom(0x94, 0xc3, 0x00, 0x02), fc.integer({ min: 0, max: 255 }));
const spicyBytes = (maxLength: number) => fc.array(spicyByte, { maxLength }).map((list) => Uint8Array.from(list));
const payloads = fc.oneof(
  spicyBytes(40),
  spicyBytes(MAX_FRAME_PAYLOAD_BYTES),
  fc.uint8Array({ minLength: 512, maxLength: 512 }),
);
const junks = spicyBytes(60).filter(isHarmless);
const cuts = fc.array(fc.nat(5000), { maxLength: 40 });

describe('frame decoder', () => {
  it('recovers every frame between any junk at any split, within its buffer', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(junks, payloads), { maxLength: 8 }), junks, cuts, (parts, tail, at) => {
        const stream = Buffer.concat([...parts.flatMap(([junk, payload]) => [junk, encodeFrame(payload)]), tail]);
        const result = decodeAll(split(stream, at));
        expect(result.frames).toEqual(parts.map(([, payload]) => Buffer.from(payload).toString('hex')));
        expect(result.maxPending).toBeLessThan(MAX_FRAME_PAYLOAD_BYTES + 4);
        const junkBytes = parts.reduce((sum, [junk]) => sum + junk.length, tail.length);
        expect(junkBytes - result.junk.length).toBeLessThan(4);
      }),
      { numRuns: 400 },
    );
  });

  it('never throws and never grows on arbitrary bytes, whatever the handler accepts', () => {
    fc.assert(
      fc.property(spicyBytes(3000), cuts, fc.boolean(), (stream, at, accepts) => {
        const result = decodeAll(split(stream, at), () => accepts);
        expect(result.maxPending).toBeLessThan(MAX_FRAME_PAYLOAD_BYTES + 4);
      }),
    );
  });

  it('gives the same frames for one byte at a time as for the whole', () => {
    fc.assert(
      fc.property(spicyBytes(1500), (stream) => {
        const single = decodeAll([...stream].map((byte) => bytes(byte)));
        expect(single.frames).toEqual(decodeAll([stream]).frames);
      }),
    );
  });

  it('finds the good frame inside what a cut frame swallowed', () => {
    const good = encodeFrame(bytes(7, 7, 7));
    const cut = encodeFrame(new Uint8Array(20).fill(1)).subarray(0, 8);
    const isGood = (payload: Uint8Array): boolean => payload.every((byte) => byte === 7);
    const noise = new Uint8Array(40).fill(0x20);
    expect(decodeAll([cut, good, noise, good], isGood).frames).toEqual(['070707', '070707']);
  });

  it.each([
    ['a lone 94', bytes(0x94)],
    ['94 twice', bytes(0x94, 0x94)],
    ['a header with length 513', bytes(0x94, 0xc3, 0x02, 0x01)],
    ['a header with length 65535', bytes(0x94, 0xc3, 0xff, 0xff)],
    ['a header that hides the next start', bytes(0x94, 0xc3, 0x94)],
    ['UTF-8 text with 94 C3 in it', Buffer.from('Ôé\r\n')],
  ])('keeps the frame after %s', (_name, junk) => {
    const payload = bytes(1, 2, 3);
    for (const chunks of [[junk, encodeFrame(payload)], [Buffer.concat([junk, encodeFrame(payload)])]]) {
      const result = decodeAll(chunks);
      expect(result.frames).toEqual(['010203']);
      expect(result.junk).toEqual([...junk]);
    }
  });

  it('hands out empty frames and payloads of 94 C3', () => {
    const tricky = bytes(0x94, 0xc3, 0x00, 0x01, 0x94, 0xc3);
    expect(decodeAll([Buffer.concat([encodeFrame(bytes()), encodeFrame(tricky)])]).frames).toEqual([
      '',
      '94c3000194c3',
    ]);
  });

  it('ignores the rest once stopped from within a handler', () => {
    const seen: number[] = [];
    const decoder = new FrameDecoder({
      onFrame: (payload) => {
        seen.push(payload[0] ?? -1);
        decoder.stop();
        return true;
      },
    });
    decoder.push(Buffer.concat([encodeFrame(bytes(1)), encodeFrame(bytes(2))]));
    decoder.push(encodeFrame(bytes(3)));
    expect(seen).toEqual([1]);
  });

  it('refuses to encode more than the firmware takes', () => {
    expect(() => encodeFrame(new Uint8Array(513))).toThrow(RangeError);
    expect(encodeFrame(new Uint8Array(512)).length).toBe(516);
  });

  it.each([
    ['start bytes', Uint8Array.of(0x94)],
    ['headers of refused frames within each other', Uint8Array.of(0x94, 0xc3, 0x01, 0x00)],
  ])('reads a megabyte of %s in linear time', (_name, pattern) => {
    const hostile = new Uint8Array(1_000_000).map((_byte, at) => pattern[at % pattern.length] ?? 0);
    let junkBytes = 0;
    const decoder = new FrameDecoder({
      onFrame: () => false,
      onJunk: (part) => {
        junkBytes += part.length;
      },
    });
    const started = performance.now();
    decoder.push(hostile);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(junkBytes + decoder.pendingBytes).toBe(1_000_000);
  });
});
