import { errorText, RelayError } from '../../../util/relay-error.ts';
import type { TreeSource } from './durable-tree.ts';
import type { Span } from './key-span.ts';
import type { Commit, SavedRecord, TreeId } from './saved-data.ts';
import type { StoreFile } from './store-file.ts';

type Phase =
  | { readonly kind: 'open' }
  | { readonly kind: 'failed'; readonly error: RelayError }
  | { readonly kind: 'closed' };

/**
 * Stands between IndexedDB and its file. One per open store; holds which transactions run and whether the file may still
 * be used. Invariant: after the first failure of the disk nothing is written any more.
 */
export class DurableState implements TreeSource {
  readonly #file: StoreFile;
  readonly #onFailure: (error: RelayError) => void;
  readonly #running = new Set<IDBTransaction>();
  #phase: Phase = { kind: 'open' };
  #undoing = false;
  #idle: (() => void) | null = null;
  #closed: Promise<void> | null = null;

  constructor(file: StoreFile, onFailure: (error: RelayError) => void) {
    this.#file = file;
    this.#onFailure = onFailure;
  }

  /** @throws DOMException when the store is closed or has failed: what a caller of IndexedDB can handle. */
  assertOpen(): void {
    if (this.#phase.kind === 'closed') throw new DOMException('the store is closed', 'InvalidStateError');
    if (this.#phase.kind === 'failed') throw unknownError(this.#phase.error);
  }

  begin(transaction: IDBTransaction): void {
    this.#running.add(transaction);
  }

  end(transaction: IDBTransaction): void {
    this.#running.delete(transaction);
    if (this.#running.size === 0) this.#idle?.();
  }

  get(tree: TreeId, key: Buffer): Buffer | undefined {
    return this.#reading(() => this.#file.get(tree, key));
  }

  count(tree: TreeId): number {
    return this.#reading(() => this.#file.count(tree));
  }

  page(tree: TreeId, span: Span, limit: number): readonly SavedRecord[] {
    return this.#reading(() => this.#file.page(tree, span, limit));
  }

  #reading<Result>(read: () => Result): Result {
    try {
      return read();
    } catch (error) {
      this.#fail(error);
      throw unknownError(error);
    }
  }

  damaged(error: unknown): DOMException {
    const failure = this.#file.damaged(error);
    this.#fail(failure);
    return unknownError(failure);
  }

  get undoing(): boolean {
    return this.#undoing;
  }

  /** Runs the undo steps of fake-indexeddb; the trees let them pass, since their changes are forgotten as a whole. */
  undo(steps: () => void): void {
    this.#undoing = true;
    try {
      steps();
    } finally {
      this.#undoing = false;
    }
  }

  /** Puts a finished transaction on disk. False: not saved. */
  commit(commit: Commit): boolean {
    return this.#write(() => this.#file.commit(commit));
  }

  dropDatabase(name: string): boolean {
    return this.#write(() => this.#file.dropDatabase(name));
  }

  #write(write: () => void): boolean {
    if (this.#phase.kind !== 'open') return false;
    try {
      write();
      return true;
    } catch (error) {
      this.#fail(new RelayError('CRYPTO_STORE_WRITE_FAILED', `cannot save: ${errorText(error)}`, { cause: error }));
      return false;
    }
  }

  #fail(error: unknown): void {
    if (this.#phase.kind !== 'open') return;
    const failure =
      error instanceof RelayError ? error : new RelayError('CRYPTO_STORE_UNUSABLE', errorText(error), { cause: error });
    this.#phase = { kind: 'failed', error: failure };
    this.#onFailure(failure);
  }

  /** Lets the transactions that run finish, then closes the file and frees its lock. Idempotent. */
  close(): Promise<void> {
    this.#closed ??= this.#closeWhenIdle();
    return this.#closed;
  }

  async #closeWhenIdle(): Promise<void> {
    if (this.#running.size > 0) {
      await new Promise<void>((resolve) => {
        this.#idle = resolve;
      });
    }
    this.#phase = { kind: 'closed' };
    this.#file.close();
  }
}

function unknownError(error: unknown): DOMException {
  return new DOMException(`the store has failed: ${errorText(error)}`, 'UnknownError');
}
