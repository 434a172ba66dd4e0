import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { channelKey, cryptData, keyId } from '../../../src/radio/codec/channel-key.ts';

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');

describe('channel keys', () => {
  it('have the hash that the air knows: 8 for LongFast with the stock key', () => {
    expect(channelKey('LongFast', 'AQ==')?.hash).toBe(8);
    expect(channelKey('LongFast', '1PG7OiApB1nwvP+rz05pAQ==')?.hash).toBe(8);
  });

  it.each([
    ['AQ==', 'd4f1bb3a20290759f0bcffabcf4e6901'],
    ['Ag==', 'd4f1bb3a20290759f0bcffabcf4e6902'],
    ['5g==', 'd4f1bb3a20290759f0bcffabcf4e69e6'],
    ['AA==', ''],
    ['', ''],
    ['AQI=', '01020000000000000000000000000000'],
    [Buffer.alloc(16, 7).toString('base64'), '07'.repeat(16)],
    [Buffer.alloc(17, 7).toString('base64'), '07'.repeat(17) + '00'.repeat(15)],
    [Buffer.alloc(32, 7).toString('base64'), '07'.repeat(32)],
  ])('expand %s', (psk, expected) => {
    expect(hex(channelKey('x', psk)?.key)).toBe(expected);
  });

  it.each(['not base64!', Buffer.alloc(33).toString('base64')])('are refused: %s', (psk) => {
    expect(channelKey('x', psk)).toBeNull();
  });
});

describe('the id of a key', () => {
  it('is that of the expanded key, so that it is the same however the key is written', () => {
    const expanded = Buffer.from('d4f1bb3a20290759f0bcffabcf4e6901', 'hex');
    expect(keyId(Uint8Array.of(1))).toBe(keyId(expanded));
    expect(keyId(Uint8Array.of(1))).not.toBe(keyId(Uint8Array.of(2)));
  });

  it('tells keys apart that the one byte of the firmware does not', () => {
    const key = Buffer.alloc(32, 7);
    const swapped = Buffer.from(key);
    swapped[0] = 6;
    swapped[1] = 6;
    const hashOf = (psk: Buffer): number | undefined => channelKey('Hikers', psk.toString('base64'))?.hash;
    expect(hashOf(swapped)).toBe(hashOf(key));
    expect(keyId(swapped)).not.toBe(keyId(key));
  });

  it.each([[[]], [[0]]])('is null without encryption: %j', (psk) => {
    expect(keyId(Uint8Array.from(psk))).toBeNull();
  });

  it('does not give the key away', () => {
    const key = Buffer.alloc(32, 0xab);
    expect(keyId(key)).toMatch(/^[0-9a-f]{16}$/);
    expect(keyId(key)).not.toContain('abab');
  });
});

describe('AES-CTR', () => {
  it.each([16, 32])('is what the openssl command does, for %i bytes', (bytes) => {
    const key = Uint8Array.from({ length: bytes }, (_, index) => index * 7);
    const data = new TextEncoder().encode('a text that is longer than one block of sixteen bytes');
    // Packet id 0x11223344 and sender 0xa1b2c3d4, both little-endian in their halves.
    const iv = '4433221100000000d4c3b2a100000000';
    const args = ['enc', `-aes-${bytes * 8}-ctr`, '-K', hex(key), '-iv', iv];
    const expected = execFileSync('openssl', args, { input: data });

    expect(hex(cryptData(data, { key, from: 0xa1b2c3d4, id: 0x11223344 }))).toBe(expected.toString('hex'));
  });

  it('is its own inverse', () => {
    const uint32 = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 240 }),
        uint32,
        uint32,
        fc.constantFrom(0, 16, 32),
        (data, from, id, size) => {
          const context = { key: new Uint8Array(size).fill(3), from, id };
          expect(cryptData(cryptData(data, context), context)).toEqual(data);
        },
      ),
    );
  });
});
