import { IDBKeyRange } from 'fake-indexeddb';
import { encodeKey, type StoredKey } from './key-codec.ts';

/** Encoded keys from `from` to before `to`. */
export interface Span {
  readonly from: Buffer;
  readonly to: Buffer;
  readonly descending: boolean;
}

const BOTTOM = Buffer.alloc(0);
/** Above the first byte of every encoded key. */
const TOP = Buffer.of(0xff);

/**
 * The span of a key, of a range, or of everything (undefined), for records and for index entries alike: no encoded
 * key begins with another one, and an entry begins with its index key, so a key with the top byte added lies behind the
 * key and all of its entries, and before the next key.
 */
export function spanOf(keyOrRange: unknown): Span {
  if (keyOrRange === undefined) return { from: BOTTOM, to: TOP, descending: false };
  if (!(keyOrRange instanceof IDBKeyRange)) return spanOf(IDBKeyRange.only(keyOrRange));
  const { lower, upper, lowerOpen, upperOpen } = keyOrRange;
  const from = lower === undefined ? BOTTOM : bound(lower, lowerOpen);
  const to = upper === undefined ? TOP : bound(upper, !upperOpen);
  return { from, to, descending: false };
}

function bound(key: StoredKey, behind: boolean): Buffer {
  return behind ? Buffer.concat([encodeKey(key), TOP]) : encodeKey(key);
}
