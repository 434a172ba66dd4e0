import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DnsRecord, decodeAnswer, encodeName, encodeQuery } from '../../../src/radio/mdns/message.ts';
import { encodeAnswer } from './wire.ts';

const label = fc.string({
  unit: fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789-_ é'),
  minLength: 1,
  maxLength: 20,
});
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join('.'));
const octet = fc.integer({ min: 0, max: 255 });
const group = fc.integer({ min: 0, max: 0xffff }).map((value) => value.toString(16));
const key = fc.string({ unit: fc.constantFrom(...'abcdefgh_'), minLength: 1, maxLength: 8 });
const record: fc.Arbitrary<DnsRecord> = fc.oneof(
  fc.record({ type: fc.constant('ptr' as const), name, target: name }),
  fc.record({ type: fc.constant('srv' as const), name, target: name, port: fc.integer({ min: 0, max: 65_535 }) }),
  fc.record({
    type: fc.constant('txt' as const),
    name,
    values: fc.dictionary(key, fc.string({ maxLength: 30 }), { noNullPrototype: true }),
  }),
  fc.record({
    type: fc.constant('address' as const),
    name,
    family: fc.constant(4 as const),
    address: fc.array(octet, { minLength: 4, maxLength: 4 }).map((parts) => parts.join('.')),
  }),
  fc.record({
    type: fc.constant('address' as const),
    name,
    family: fc.constant(6 as const),
    address: fc.array(group, { minLength: 8, maxLength: 8 }).map((parts) => parts.join(':')),
  }),
);

describe('multicast DNS messages', () => {
  it('reads back every record, in whatever section it stands', () => {
    fc.assert(
      fc.property(fc.array(record, { maxLength: 8 }), fc.constantFrom('answer', 'additional'), (records, section) => {
        expect(decodeAnswer(encodeAnswer(records, section))).toEqual(records);
      }),
    );
  });

  it('never throws, whatever the bytes, and keeps what stood before a cut', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeAnswer(bytes)));
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.nat(), (records, at) => {
        const whole = encodeAnswer(records);
        const cut = decodeAnswer(whole.subarray(0, at % whole.length));
        expect(records.slice(0, cut.length)).toEqual(cut);
      }),
    );
  });

  it('follows compressed names, and is not caught in a loop of them', () => {
    const service = encodeName('_meshtastic._tcp.local');
    const head = Buffer.from('000084000000000100000000', 'hex');
    const tail = Buffer.from('000c00010000007800', 'hex');
    const target = Buffer.concat([Buffer.of(9), Buffer.from('Mountain '), Buffer.of(0xc0, 12)]);
    const message = Buffer.concat([head, service, tail, Buffer.of(target.length), target]);
    expect(decodeAnswer(message)).toEqual([
      { type: 'ptr', name: '_meshtastic._tcp.local', target: 'Mountain ._meshtastic._tcp.local' },
    ]);
    const loop = Buffer.concat([head, Buffer.of(0xc0, 12), tail, Buffer.of(0)]);
    expect(decodeAnswer(loop)).toEqual([]);
  });

  it('takes a question for no answer', () => {
    expect(decodeAnswer(encodeQuery([{ name: 'meshtastic.local', type: 1 }]))).toEqual([]);
    expect(() => encodeQuery([{ name: `${'x'.repeat(64)}.local`, type: 1 }])).toThrow(RangeError);
  });
});
