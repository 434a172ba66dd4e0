import type { RawIndex, RawStore } from './fake-internals.ts';

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

/** What is to be kept of an object store; `idOf` gives the number of an index on disk. */
export function definitionOf(raw: RawStore, idOf: (index: RawIndex) => number): StoreDefinition {
  const indexes = [...raw.rawIndexes.values()].map((index) => {
    const { name, keyPath, unique, multiEntry } = index;
    return { id: idOf(index), name, keyPath, unique, multiEntry };
  });
  return { name: raw.name, keyPath: raw.keyPath, autoIncrement: raw.autoIncrement, indexes };
}
