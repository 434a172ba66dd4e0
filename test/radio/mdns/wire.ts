import { type DnsRecord, encodeName } from '../../../src/radio/mdns/message.ts';

/** An answer as a responder writes it, without compression; `section` says where all records go. */
export function encodeAnswer(records: readonly DnsRecord[], section: 'answer' | 'additional' = 'answer'): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt16BE(0x8400, 2);
  header.writeUInt16BE(records.length, section === 'answer' ? 6 : 10);
  return Buffer.concat([header, ...records.map(encodeRecord)]);
}

function encodeRecord(record: DnsRecord): Buffer {
  const data = dataOf(record);
  const head = Buffer.alloc(10);
  head.writeUInt16BE(typeOf(record), 0);
  head.writeUInt16BE(0x8001, 2); // IN, cache flush
  head.writeUInt32BE(120, 4);
  head.writeUInt16BE(data.length, 8);
  return Buffer.concat([encodeName(record.name), head, data]);
}

function typeOf(record: DnsRecord): number {
  if (record.type === 'address') return record.family === 4 ? 1 : 28;
  return { ptr: 12, srv: 33, txt: 16 }[record.type];
}

function dataOf(record: DnsRecord): Buffer {
  switch (record.type) {
    case 'ptr':
      return encodeName(record.target);
    case 'srv': {
      const head = Buffer.alloc(6);
      head.writeUInt16BE(record.port, 4);
      return Buffer.concat([head, encodeName(record.target)]);
    }
    case 'txt':
      return Buffer.concat(
        Object.entries(record.values).map(([key, value]) => {
          const text = Buffer.from(`${key}=${value}`);
          return Buffer.concat([Buffer.of(text.length), text]);
        }),
      );
    case 'address': {
      if (record.family === 4) return Buffer.from(record.address.split('.').map(Number));
      const groups = record.address.split(':').map((group) => Number.parseInt(group, 16));
      return Buffer.from(groups.flatMap((group) => [group >> 8, group & 0xff]));
    }
  }
}
