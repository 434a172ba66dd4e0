import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inflateSync } from 'node:zlib';
import { expect } from 'vitest';

interface Picture {
  readonly width: number;
  readonly height: number;
  /** RGBA. */
  readonly pixels: Uint8Array;
}

const FIXTURES = join(import.meta.dirname, 'fixtures');
/** A pixel counts as different when a channel is this far off; so many may be. */
const TOLERANCE = 48;
const DIFFERENT_SHARE = 0.003;

/** Reads PNGs of 8-bit RGBA without interlace, which is what the renderer writes. */
export function readPng(data: Uint8Array): Picture {
  const buffer = Buffer.from(data);
  expect(buffer.subarray(0, 8).toString('latin1')).toBe('\x89PNG\r\n\x1a\n');
  const [width, height] = [buffer.readUInt32BE(16), buffer.readUInt32BE(20)];
  expect([...buffer.subarray(24, 29)]).toEqual([8, 6, 0, 0, 0]);
  const chunks: Buffer[] = [];
  for (let at = 8; at < buffer.length; at += 12 + buffer.readUInt32BE(at)) {
    const type = buffer.toString('latin1', at + 4, at + 8);
    if (type === 'IDAT') chunks.push(buffer.subarray(at + 8, at + 8 + buffer.readUInt32BE(at)));
  }
  return { width, height, pixels: unfilter(inflateSync(Buffer.concat(chunks)), width * 4, height) };
}

function unfilter(raw: Uint8Array, stride: number, height: number): Uint8Array {
  const pixels = new Uint8Array(stride * height);
  for (let row = 0; row < height; row += 1) {
    const filter = raw[row * (stride + 1)]!;
    for (let index = 0; index < stride; index += 1) {
      const at = row * stride + index;
      const left = index >= 4 ? pixels[at - 4]! : 0;
      const up = row > 0 ? pixels[at - stride]! : 0;
      const corner = index >= 4 && row > 0 ? pixels[at - stride - 4]! : 0;
      const predicted = [0, left, up, (left + up) >> 1, paeth(left, up, corner)][filter]!;
      pixels[at] = raw[row * (stride + 1) + 1 + index]! + predicted;
    }
  }
  return pixels;
}

function paeth(left: number, up: number, corner: number): number {
  const [a, b, c] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
}

/** RGB of one pixel. */
export function colorAt({ width, pixels }: Picture, x: number, y: number): number[] {
  return [...pixels.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)];
}

/**
 * Compares with `fixtures/<name>.png`, tolerantly. To accept a new look: delete the file, run with
 * MMRELAY_UPDATE_PICTURES=1, look at what was written.
 */
export function expectPicture(data: Uint8Array, name: string): void {
  const file = join(FIXTURES, `${name}.png`);
  if (process.env.MMRELAY_UPDATE_PICTURES === '1' && !existsSync(file)) {
    mkdirSync(FIXTURES, { recursive: true });
    writeFileSync(file, data);
  }
  const actual = readPng(data);
  const wanted = readPng(readFileSync(file));
  expect([actual.width, actual.height]).toEqual([wanted.width, wanted.height]);
  let different = 0;
  for (let at = 0; at < wanted.pixels.length; at += 4) {
    const off = [0, 1, 2].some(
      (channel) => Math.abs(actual.pixels[at + channel]! - wanted.pixels[at + channel]!) > TOLERANCE,
    );
    if (off) different += 1;
  }
  expect(different, `${name}: pixels that differ`).toBeLessThanOrEqual(wanted.width * wanted.height * DIFFERENT_SHARE);
}
