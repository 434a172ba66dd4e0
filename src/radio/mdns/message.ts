/** DNS messages as multicast DNS uses them (RFC 1035, RFC 6762): what a browser needs of them, no more. */

export const RECORD_TYPES = { a: 1, ptr: 12, txt: 16, aaaa: 28, srv: 33 } as const;

export type DnsRecord =
  | { readonly type: 'ptr'; readonly name: string; readonly target: string }
  | { readonly type: 'srv'; readonly name: string; readonly target: string; readonly port: number }
  | { readonly type: 'txt'; readonly name: string; readonly values: Readonly<Record<string, string>> }
  | { readonly type: 'address'; readonly name: string; readonly address: string; readonly family: 4 | 6 };

export interface DnsQuestion {
  readonly name: string;
  readonly type: number;
}

const HEADER_BYTES = 12;
const CLASS_IN = 1;
/** Names of more labels than this do not exist; a loop of pointers looks like one. */
const MAX_LABELS = 128;
const MAX_LABEL_BYTES = 63;

/** A query for these names. @throws RangeError for a label over 63 bytes */
export function encodeQuery(questions: readonly DnsQuestion[]): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt16BE(questions.length, 4);
  const parts: Buffer[] = [header];
  for (const { name, type } of questions) {
    const tail = Buffer.alloc(4);
    tail.writeUInt16BE(type, 0);
    tail.writeUInt16BE(CLASS_IN, 2);
    parts.push(encodeName(name), tail);
  }
  return Buffer.concat(parts);
}

/** A name on the wire. Dots separate labels. */
export function encodeName(name: string): Buffer {
  const labels = name.split('.').filter((label) => label !== '');
  const parts = labels.map((label) => {
    const bytes = Buffer.from(label);
    if (bytes.length > MAX_LABEL_BYTES) throw new RangeError(`label of ${bytes.length} bytes in ${name}`);
    return Buffer.concat([Buffer.of(bytes.length), bytes]);
  });
  return Buffer.concat([...parts, Buffer.of(0)]);
}

/** The records of an answer, of all its sections; what is cut off or unknown is left out. Never throws. */
export function decodeAnswer(message: Uint8Array): readonly DnsRecord[] {
  const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength);
  if (bytes.length < HEADER_BYTES || (bytes.readUInt8(2) & 0x80) === 0) return [];
  const questions = bytes.readUInt16BE(4);
  const count = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  const records: DnsRecord[] = [];
  try {
    let at = HEADER_BYTES;
    for (let index = 0; index < questions; index += 1) at = readName(bytes, at).end + 4;
    for (let index = 0; index < count; index += 1) {
      const { name, end } = readName(bytes, at);
      const type = bytes.readUInt16BE(end);
      const start = end + 10;
      at = start + bytes.readUInt16BE(end + 8);
      if (at > bytes.length) break;
      const record = readRecord(bytes, { name, type, start, end: at });
      if (record !== null) records.push(record);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error; // Cut off: what came before still counts.
  }
  return records;
}

interface RawRecord {
  readonly name: string;
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

function readRecord(bytes: Buffer, { name, type, start, end }: RawRecord): DnsRecord | null {
  switch (type) {
    case RECORD_TYPES.ptr:
      return { type: 'ptr', name, target: readName(bytes, start).name };
    case RECORD_TYPES.srv:
      return { type: 'srv', name, port: bytes.readUInt16BE(start + 4), target: readName(bytes, start + 6).name };
    case RECORD_TYPES.txt:
      return { type: 'txt', name, values: readTexts(bytes.subarray(start, end)) };
    case RECORD_TYPES.a:
      return end - start === 4
        ? { type: 'address', name, family: 4, address: [...bytes.subarray(start, end)].join('.') }
        : null;
    case RECORD_TYPES.aaaa:
      return end - start === 16
        ? { type: 'address', name, family: 6, address: ipv6(bytes.subarray(start, end)) }
        : null;
    default:
      return null;
  }
}

function readName(bytes: Buffer, start: number): { readonly name: string; readonly end: number } {
  const labels: string[] = [];
  let at = start;
  let end: number | null = null;
  for (let step = 0; step < MAX_LABELS; step += 1) {
    const length = bytes.readUInt8(at);
    if (length === 0) return { name: labels.join('.'), end: end ?? at + 1 };
    if (length >= 0xc0) {
      end ??= at + 2;
      at = bytes.readUInt16BE(at) & 0x3fff;
    } else {
      if (at + 1 + length > bytes.length) throw new RangeError('name cut off');
      labels.push(bytes.toString('utf8', at + 1, at + 1 + length));
      at += 1 + length;
    }
  }
  throw new RangeError('name without end');
}

/** TXT strings `key=value`; keys are case-insensitive (RFC 6763). */
function readTexts(bytes: Buffer): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt8(at);
    const text = bytes.toString('utf8', at + 1, at + 1 + length);
    const split = text.indexOf('=');
    const name = (split === -1 ? text : text.slice(0, split)).toLowerCase();
    if (name !== '' && name !== '__proto__') values[name] = split === -1 ? '' : text.slice(split + 1);
    at += 1 + length;
  }
  return values;
}

function ipv6(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(index * 2).toString(16));
  return groups.join(':');
}
