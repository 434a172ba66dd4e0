import type { RawStore } from './fake-internals.ts';

export type KeyPath = string | readonly string[];

export interface IndexDefinition {
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

export function definitionOf(raw: RawStore): StoreDefinition {
  const indexes = [...raw.rawIndexes.values()].map(({ name, keyPath, unique, multiEntry }) => {
    return { name, keyPath, unique, multiEntry };
  });
  return { name: raw.name, keyPath: raw.keyPath, autoIncrement: raw.autoIncrement, indexes };
}
