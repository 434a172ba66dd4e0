import type { StoredKey } from './key-codec.ts';
import { decodeValue, encodeValue } from './value-codec.ts';

/**
 * A record of an object store as fake-indexeddb keeps it in its tree ({key, value}), holding the value as the bytes
 * that are on disk. One per record. A value is decoded when it is read: a store of 100,000 records opens without
 * decoding any, and memory holds compact bytes. Every reader clones or only looks, so no copy is kept.
 */
export class StoredRecord {
  key: StoredKey | undefined;
  #bytes: Buffer;
  #live: { readonly value: unknown } | null = null;

  constructor(key: StoredKey | undefined, bytes: Buffer) {
    this.key = key;
    this.#bytes = bytes;
  }

  get value(): unknown {
    return this.#live === null ? decodeValue(this.#bytes) : this.#live.value;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** Runs `store` while `value` is the very object given, then keeps its bytes: a key generator writes into it. */
  whileLive<Result>(value: unknown, store: () => Result, changed: boolean): Result {
    this.#live = { value };
    try {
      const result = store();
      if (changed) this.#bytes = encodeValue(value);
      return result;
    } finally {
      this.#live = null;
    }
  }
}
