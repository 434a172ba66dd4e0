import { createCipheriv, createHash } from 'node:crypto';

/** The key behind the stock key numbers 1 to 255 (firmware, Channels.h defaultpsk); the number counts in the last byte. */
const STOCK_KEY = 'd4f1bb3a20290759f0bcffabcf4e6901';
const SHORT_BYTES = 16;
const LONG_BYTES = 32;
const WORD = 0x1_0000_0000;
const KEY_ID_DIGITS = 16;

/** A channel as packets on a broker bear it. */
export interface ChannelKey {
  readonly name: string;
  /** 16 or 32 bytes; empty for a channel without encryption. */
  readonly key: Uint8Array;
  /** MeshPacket.channel of an encrypted packet: tells which key to try. */
  readonly hash: number;
}

/** @param psk base64 as the apps show it; null when it is no base64, or longer than 32 bytes */
export function channelKey(name: string, psk: string): ChannelKey | null {
  const given = Buffer.from(psk, 'base64');
  if (given.toString('base64').replace(/=+$/, '') !== psk.replace(/=+$/, '') || given.length > LONG_BYTES) return null;
  const key = expandKey(given);
  return { name, key, hash: xor(Buffer.from(name)) ^ xor(key) };
}

/**
 * Tells keys apart without giving them away: equal for channels whose members read each other, however the key is
 * written; null without encryption. The firmware's own hash is one byte, which two of 256 strangers share.
 * @param psk ChannelSettings.psk, or an expanded key
 */
export function keyId(psk: Uint8Array): string | null {
  const key = expandKey(psk);
  return key.length === 0 ? null : createHash('sha256').update(key).digest('hex').slice(0, KEY_ID_DIGITS);
}

/** One byte is a stock key (0: none), short keys are filled up with zeros (Channels::getKey). */
function expandKey(given: Uint8Array): Uint8Array {
  if (given.length === 0 || (given.length === 1 && given[0] === 0)) return new Uint8Array(0);
  if (given.length === 1) {
    const stock = new Uint8Array(Buffer.from(STOCK_KEY, 'hex'));
    stock[SHORT_BYTES - 1] = ((stock[SHORT_BYTES - 1] ?? 0) + (given[0] ?? 1) - 1) & 0xff;
    return stock;
  }
  const key = new Uint8Array(given.length <= SHORT_BYTES ? SHORT_BYTES : LONG_BYTES);
  key.set(given);
  return key;
}

function xor(bytes: Uint8Array): number {
  return bytes.reduce((sum, byte) => sum ^ byte, 0);
}

/**
 * Encrypts or decrypts the Data of a packet: AES-CTR is its own inverse. The counter begins at packet id (64 bits,
 * little-endian), sender (32 bits, little-endian), 0 (CryptoEngine::initNonce).
 */
export function cryptData(
  data: Uint8Array,
  { key, from, id }: { readonly key: Uint8Array; readonly from: number; readonly id: number },
): Uint8Array {
  if (key.length === 0) return data;
  const nonce = Buffer.alloc(16);
  nonce.writeUInt32LE(id % WORD, 0);
  nonce.writeUInt32LE(from % WORD, 8);
  const cipher = createCipheriv(key.length === LONG_BYTES ? 'aes-256-ctr' : 'aes-128-ctr', key, nonce);
  return new Uint8Array(Buffer.concat([cipher.update(data), cipher.final()]));
}
