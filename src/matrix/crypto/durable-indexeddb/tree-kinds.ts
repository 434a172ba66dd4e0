import { DurableTree } from './durable-tree.ts';
import type { RawRecord } from './fake-internals.ts';
import { decodeKey, decodeKeyPair, encodeKey, type StoredKey } from './key-codec.ts';
import type { SavedRecord } from './saved-data.ts';
import { decodeValue, encodeValue } from './value-codec.ts';

/** The records of an object store: a key and the value's bytes, decoded when it is read. */
export class RecordTree extends DurableTree {
  protected encode({ key, value }: RawRecord): SavedRecord {
    return { key: encodeKey(key as StoredKey), value: encodeValue(value) };
  }

  protected decode({ key, value: bytes }: SavedRecord): RawRecord {
    const value = (): unknown => this.parse(bytes, decodeValue);
    return {
      key: this.parse(key, decodeKey),
      get value() {
        return value();
      },
    };
  }
}

const NOTHING = Buffer.alloc(0);

/** The entries of an index: all is in the key, the index key followed by the key of the record it points at. */
export class EntryTree extends DurableTree {
  protected encode({ key, value }: RawRecord): SavedRecord {
    return { key: Buffer.concat([encodeKey(key as StoredKey), encodeKey(value as StoredKey)]), value: NOTHING };
  }

  protected decode({ key: bytes }: SavedRecord): RawRecord {
    const [key, value] = this.parse(bytes, decodeKeyPair);
    return { key, value };
  }
}
