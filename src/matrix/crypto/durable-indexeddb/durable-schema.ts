import { DurableTree, type TreeSource } from './durable-tree.ts';
import { assertReplaceable, type RawDatabase, type RawIndex, type RawStore } from './fake-internals.ts';
import type { Commit, SavedDatabase, SavedStore, StoreDefinition } from './saved-data.ts';
import { EntryTree, RecordTree } from './tree-kinds.ts';

/** The last number given to a database, an object store, an index. */
interface LastIds {
  database: number;
  store: number;
  index: number;
}

/**
 * Gives every object store and index of fake-indexeddb its tree on disk, from the moment it is made. One per open store;
 * holds the numbers on disk and the last saved key of each generator. Invariant: no record ever goes into a store
 * or index that has no tree of ours.
 */
export class DurableSchema {
  readonly #source: TreeSource;
  readonly #lastIds: LastIds;
  readonly #databaseIds = new WeakMap<RawDatabase, number>();
  /** What an abort takes a generator back to: https://www.w3.org/TR/IndexedDB/#key-generator-construct */
  readonly #savedKeys = new WeakMap<RawStore, number>();

  constructor(source: TreeSource, databases: readonly SavedDatabase[]) {
    this.#source = source;
    const stores = databases.flatMap((database) => database.stores);
    const indexes = stores.flatMap((store) => store.definition.indexes);
    this.#lastIds = { database: highest(databases), store: highest(stores), index: highest(indexes) };
  }

  /** A database that was made again as it is on disk. */
  adopt(database: RawDatabase, saved: SavedDatabase): void {
    this.#databaseIds.set(database, saved.id);
    for (const store of saved.stores) this.#adoptStore(database.rawObjectStores.get(store.definition.name), store);
    this.#watch(database);
  }

  #adoptStore(store: RawStore | undefined, { id, definition, keyGenerator }: SavedStore): void {
    if (store === undefined) throw new RangeError(`object store ${definition.name} was not made`);
    if (store.keyGenerator !== null) store.keyGenerator.num = keyGenerator ?? 0;
    for (const { id: indexId, name } of definition.indexes) {
      const index = store.rawIndexes.get(name);
      if (index !== undefined) this.#equipIndex(index, indexId);
    }
    this.#equipStore(store, id);
  }

  /** A database about to change its version; nothing happens when it is known. */
  watch(database: RawDatabase): void {
    if (this.#databaseIds.has(database)) return;
    this.#lastIds.database += 1;
    this.#databaseIds.set(database, this.#lastIds.database);
    this.#watch(database);
  }

  #watch(database: RawDatabase): void {
    onEachAdded(database.rawObjectStores, (store) => this.#equipStore(store));
  }

  #equipStore(store: RawStore, id?: number): void {
    if (store.records instanceof DurableTree) return;
    assertReplaceable(store);
    this.#lastIds.store += id === undefined ? 1 : 0;
    store.records = new RecordTree({ kind: 'records', id: id ?? this.#lastIds.store }, this.#source);
    this.#savedKeys.set(store, store.keyGenerator?.num ?? 0);
    for (const index of store.rawIndexes.values()) this.#equipIndex(index);
    onEachAdded(store.rawIndexes, (index) => this.#equipIndex(index));
  }

  #equipIndex(index: RawIndex, id?: number): void {
    if (index.records instanceof DurableTree) return;
    assertReplaceable(index);
    this.#lastIds.index += id === undefined ? 1 : 0;
    index.records = new EntryTree({ kind: 'entries', id: id ?? this.#lastIds.index }, this.#source);
  }

  /** What a transaction over these stores has to save; null when it changed nothing. */
  commitOf(stores: readonly RawStore[], upgraded: RawDatabase | null): Commit | null {
    const schema = upgraded === null ? null : this.#savedDatabase(upgraded);
    const changes = stores
      .flatMap(treesOf)
      .filter((tree) => !tree.changes.isEmpty)
      .map((tree) => ({ tree: tree.tree, ...tree.changes.toWrite() }));
    const keyGenerators = stores.flatMap((store) => {
      const lastKey = store.keyGenerator?.num ?? 0;
      return lastKey === this.#savedKeys.get(store) ? [] : [{ storeId: treeOf(store).tree.id, lastKey }];
    });
    const isEmpty = schema === null && changes.length === 0 && keyGenerators.length === 0;
    return isEmpty ? null : { schema, keyGenerators, changes };
  }

  #savedDatabase(database: RawDatabase): SavedDatabase {
    const { name, version } = database;
    const stores = [...database.rawObjectStores.values()].map((store) => ({
      id: treeOf(store).tree.id,
      definition: definitionOf(store),
      keyGenerator: store.keyGenerator?.num ?? null,
    }));
    return { id: this.#databaseIds.get(database) ?? 0, name, version, stores };
  }

  /** The changes of these stores are on disk. */
  settle(stores: readonly RawStore[]): void {
    for (const store of stores) {
      this.#savedKeys.set(store, store.keyGenerator?.num ?? 0);
      for (const tree of treesOf(store)) tree.changes.forget();
    }
  }

  /** Back to what is on disk. */
  discard(stores: readonly RawStore[]): void {
    for (const store of stores) {
      if (store.keyGenerator !== null) store.keyGenerator.num = this.#savedKeys.get(store) ?? 0;
      for (const tree of treesOf(store)) tree.changes.forget();
    }
  }
}

function highest(things: readonly { readonly id?: number }[]): number {
  return things.reduce((most, { id = 0 }) => Math.max(most, id), 0);
}

function treesOf(store: RawStore): DurableTree[] {
  return [treeOf(store), ...[...store.rawIndexes.values()].map(treeOf)];
}

function treeOf({ records }: RawStore | RawIndex): DurableTree {
  if (records instanceof DurableTree) return records;
  throw new TypeError('an object store or index came into being past the schema');
}

/** fake-indexeddb puts what it makes into a map, in whatever way it was made. */
function onEachAdded<Thing>(map: Map<string, Thing>, look: (thing: Thing) => void): void {
  const set = map.set.bind(map);
  map.set = (name, thing) => {
    look(thing);
    return set(name, thing);
  };
}

function definitionOf(raw: RawStore): StoreDefinition {
  const indexes = [...raw.rawIndexes.values()].map((index) => {
    const { name, keyPath, unique, multiEntry } = index;
    return { id: treeOf(index).tree.id, name, keyPath, unique, multiEntry };
  });
  return { name: raw.name, keyPath: raw.keyPath, autoIncrement: raw.autoIncrement, indexes };
}
