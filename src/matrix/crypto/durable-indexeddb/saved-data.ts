/** What is on disk, as data: schema, records, and the changes of a transaction. */

export type KeyPath = string | readonly string[];

export interface IndexDefinition {
  /** Number of its tree on disk; a file of layout 1 has none. */
  readonly id?: number;
  readonly name: string;
  readonly keyPath: KeyPath;
  readonly unique: boolean;
  readonly multiEntry: boolean;
}

export interface StoreDefinition {
  readonly name: string;
  readonly keyPath: KeyPath | null;
  readonly autoIncrement: boolean;
  readonly indexes: readonly IndexDefinition[];
}

export interface SavedStore {
  readonly id: number;
  readonly definition: StoreDefinition;
  /** Last key the generator gave out; null without generator. */
  readonly keyGenerator: number | null;
}

export interface SavedDatabase {
  readonly id: number;
  readonly name: string;
  readonly version: number;
  readonly stores: readonly SavedStore[];
}

export interface SavedRecord {
  readonly key: Buffer;
  readonly value: Buffer;
}

/** The records of an object store or the entries of an index, by the number of either. */
export interface TreeId {
  readonly kind: 'records' | 'entries';
  readonly id: number;
}

/** What a transaction did to one tree; `cleared` comes first. */
export interface TreeChange {
  readonly cleared: boolean;
  readonly puts: readonly SavedRecord[];
  readonly deletes: readonly Buffer[];
}

/** A committed transaction; with `schema` it is a version change, and stores and indexes not listed there are gone. */
export interface Commit {
  readonly schema: SavedDatabase | null;
  readonly keyGenerators: readonly { readonly storeId: number; readonly lastKey: number }[];
  readonly changes: readonly (TreeChange & { readonly tree: TreeId })[];
}
