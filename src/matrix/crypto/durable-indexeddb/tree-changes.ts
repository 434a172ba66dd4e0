import type { SavedRecord, TreeChange } from './saved-data.ts';

type Pending = SavedRecord | { readonly key: Buffer; readonly value: null };

/**
 * What the running readwrite transaction has changed in one tree and is not on disk yet; one per tree, empty between
 * transactions. Keys are encoded, a character per byte: as text they compare like the bytes and can be looked up.
 */
export class TreeChanges {
  readonly #pending = new Map<string, Pending>();
  #sorted: readonly string[] | null = [];
  #cleared = false;

  /** Nothing on disk counts any more. */
  get cleared(): boolean {
    return this.#cleared;
  }

  get isEmpty(): boolean {
    return !this.#cleared && this.#pending.size === 0;
  }

  /** The changed record, null when it was deleted, undefined when the disk still says it all. */
  get(key: Buffer): SavedRecord | null | undefined {
    const pending = this.#pending.get(textOf(key));
    if (pending === undefined) return this.#cleared ? null : undefined;
    return pending.value === null ? null : pending;
  }

  set(pending: Pending): void {
    const text = textOf(pending.key);
    if (!this.#pending.has(text)) this.#sorted = null;
    this.#pending.set(text, pending);
  }

  clear(): void {
    this.forget();
    this.#cleared = true;
  }

  forget(): void {
    this.#pending.clear();
    this.#sorted = [];
    this.#cleared = false;
  }

  /** The records put with keys from `from` to before `to`, in order. */
  putsBetween(from: Buffer, to: Buffer): readonly SavedRecord[] {
    this.#sorted ??= [...this.#pending.keys()].sort();
    const keys = this.#sorted.slice(firstAt(this.#sorted, textOf(from)), firstAt(this.#sorted, textOf(to)));
    return keys.map((key) => this.#pending.get(key)).filter(isPut);
  }

  toWrite(): TreeChange {
    const all = [...this.#pending.values()];
    return {
      cleared: this.#cleared,
      puts: all.filter(isPut),
      deletes: all.filter((pending) => pending.value === null).map(({ key }) => key),
    };
  }
}

function textOf(key: Buffer): string {
  return key.toString('latin1');
}

function isPut(pending: Pending | undefined): pending is SavedRecord {
  return pending !== undefined && pending.value !== null;
}

/** Where in the sorted list the first key is that is not below `key`. */
function firstAt(sorted: readonly string[], key: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((sorted[middle] ?? '') < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
