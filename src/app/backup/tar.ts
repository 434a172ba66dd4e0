import { createReadStream, statSync } from 'node:fs';
import { RelayError } from '../../util/relay-error.ts';

/** A file to put into an archive. */
export interface TarEntry {
  /** Relative, with slashes. */
  readonly name: string;
  readonly path: string;
}

const BLOCK = 512;
const MAX_NAME = 100;
const MAX_PREFIX = 155;

/** An archive in the format of POSIX.1-1988 (ustar), block by block. @throws RelayError STORE_BACKUP for a name too long */
export async function* tarOf(entries: readonly TarEntry[]): AsyncGenerator<Uint8Array> {
  for (const entry of entries) {
    const { size, mtimeMs } = statSync(entry.path);
    yield header(entry.name, { size, mtimeS: Math.floor(mtimeMs / 1000) });
    let written = 0;
    for await (const chunk of createReadStream(entry.path)) {
      const bytes: Buffer = chunk;
      written += bytes.byteLength;
      yield bytes;
    }
    if (written !== size) throw new RelayError('STORE_BACKUP', `${entry.path} changed while it was read`);
    yield Buffer.alloc((BLOCK - (size % BLOCK)) % BLOCK);
  }
  yield Buffer.alloc(2 * BLOCK);
}

function header(name: string, file: { readonly size: number; readonly mtimeS: number }): Buffer {
  const { base, prefix } = splitName(name);
  const block = Buffer.alloc(BLOCK);
  const octal = (value: number, width: number): string => `${value.toString(8).padStart(width - 1, '0')}\0`;
  block.write(base, 0);
  block.write(octal(0o600, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  block.write(octal(file.size, 12), 124);
  block.write(octal(file.mtimeS, 12), 136);
  block.write(' '.repeat(8), 148);
  block.write('0', 156);
  block.write('ustar\u000000', 257);
  block.write(prefix, 345);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
}

function splitName(name: string): { readonly base: string; readonly prefix: string } {
  if (Buffer.byteLength(name) <= MAX_NAME) return { base: name, prefix: '' };
  for (let cut = name.indexOf('/'); cut > 0; cut = name.indexOf('/', cut + 1)) {
    const [prefix, base] = [name.slice(0, cut), name.slice(cut + 1)];
    if (Buffer.byteLength(base) <= MAX_NAME && Buffer.byteLength(prefix) <= MAX_PREFIX) return { base, prefix };
  }
  throw new RelayError('STORE_BACKUP', `${name}: the name is too long for an archive`);
}

/** Told of the parts of an archive in order. */
export interface TarReader {
  /** A file begins; what it returns takes its content. */
  onFile(name: string, size: number): { write(bytes: Uint8Array): void; end(): void };
}

/** Reads an archive of `tarOf`. @throws RelayError STORE_BACKUP for anything else */
export async function readTar(chunks: AsyncIterable<Uint8Array>, reader: TarReader): Promise<void> {
  let pending = Buffer.alloc(0);
  let left = 0;
  let padding = 0;
  let file: ReturnType<TarReader['onFile']> | null = null;
  let ended = false;
  for await (const chunk of chunks) {
    pending = pending.length === 0 ? Buffer.from(chunk) : Buffer.concat([pending, chunk]);
    for (;;) {
      if (file !== null) {
        const part = pending.subarray(0, left);
        file.write(part);
        left -= part.length;
        pending = pending.subarray(part.length);
        if (left > 0) break;
        file.end();
        file = null;
      }
      const skipped = Math.min(padding, pending.length);
      padding -= skipped;
      pending = pending.subarray(skipped);
      if (padding > 0 || pending.length < BLOCK) break;
      const block = pending.subarray(0, BLOCK);
      pending = pending.subarray(BLOCK);
      ended ||= block.every((byte) => byte === 0);
      if (ended) continue;
      const { name, size } = parseHeader(block);
      file = reader.onFile(name, size);
      left = size;
      padding = (BLOCK - (size % BLOCK)) % BLOCK;
    }
  }
  if (!ended || file !== null) throw new RelayError('STORE_BACKUP', 'the archive is not complete');
}

function parseHeader(block: Buffer): { readonly name: string; readonly size: number } {
  const text = (from: number, to: number): string => block.toString('utf8', from, to).replace(/\0.*$/s, '');
  const sum = block.reduce((total, byte, index) => total + (index >= 148 && index < 156 ? 32 : byte), 0);
  const stated = Number.parseInt(text(148, 156).trim(), 8);
  if (sum !== stated || !text(257, 263).startsWith('ustar'))
    throw new RelayError('STORE_BACKUP', 'it is not an archive');
  const prefix = text(345, 500);
  const size = Number.parseInt(text(124, 136).trim(), 8);
  return { name: prefix === '' ? text(0, 100) : `${prefix}/${text(0, 100)}`, size };
}
