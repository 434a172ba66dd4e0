import { describe, expect, it } from 'vitest';
import { LogText } from '../../../src/radio/codec/log-text.ts';
import {
  encodeDisconnect,
  encodeHeartbeat,
  encodePacket,
  encodeWantConfig,
} from '../../../src/radio/codec/to-radio.ts';
import type { OutgoingPacket } from '../../../src/relay/ports.ts';
import { CAPTURES, capture } from '../captures.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

const packet: OutgoingPacket = {
  id: 0x12345678,
  to: 17,
  channel: 0,
  portnum: 1,
  payload: new TextEncoder().encode('grüße 🌐 from capture'),
  replyId: 0,
  emoji: 0,
  wantAck: true,
  wantResponse: false,
  hopLimit: null,
  publicKey: null,
};

describe('to radio', () => {
  it('writes the very bytes of the official client', () => {
    const sent = capture('A-config-and-dm-with-ack').filter((frame) => frame.dir === 'toRadio');
    expect(sent.map((frame) => hex(frame.bytes))).toEqual([hex(encodeWantConfig(4711)), hex(encodePacket(packet, 3))]);
  });

  it.each(CAPTURES)('asks as the official client does in %s', (name) => {
    const asked = capture(name).filter(({ dir, msg }) => dir === 'toRadio' && 'wantConfigId' in msg);
    expect(asked.length).toBeGreaterThan(0);
    for (const { bytes, msg } of asked) expect(hex(encodeWantConfig(Number(msg.wantConfigId)))).toBe(hex(bytes));
  });

  it('writes heartbeat and disconnect', () => {
    expect(hex(encodeHeartbeat())).toBe('3a00');
    expect(hex(encodeDisconnect())).toBe('2001');
  });

  it('takes 233 bytes of payload and refuses 234', () => {
    const publicKey = new Uint8Array(32).fill(7);
    const full = { ...packet, payload: new Uint8Array(233), publicKey, replyId: 0xffffffff, emoji: 1 };
    expect(encodePacket(full, 7).length).toBeLessThanOrEqual(512);
    expect(() => encodePacket({ ...packet, payload: new Uint8Array(234) }, 3)).toThrow(
      expect.objectContaining({ code: 'RADIO_TOO_LARGE', retry: { kind: 'never' } }),
    );
  });
});

describe('log text', () => {
  it('makes bounded lines without control characters', () => {
    const lines: string[] = [];
    const text = new LogText((line) => lines.push(line));
    text.push(Buffer.from('\u001b[32mINFO \u001b[0m| up\r\n\r\nhalf'));
    text.push(Buffer.from(' line'));
    text.flush();
    text.push(Buffer.from('x'.repeat(600)));
    expect(lines).toEqual(['INFO | up', 'half line', 'x'.repeat(256), 'x'.repeat(256)]);
  });
});
