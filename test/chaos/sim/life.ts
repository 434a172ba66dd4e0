import type { StorePort } from '../../../src/relay/store-port.ts';
import type { Clock } from '../../../src/util/clock.ts';
import { RETRY_LATER, RelayError } from '../../../src/util/relay-error.ts';

/** Thrown where the process is no more: nothing behind it runs. */
export class Killed extends Error {}

/**
 * One life of the relay, in the same process as all the others. Holds whether it still lives and when it dies.
 * Invariant: after its death nothing of it reaches the store, a port or a timer.
 */
export class Life {
  dead = false;
  /** Transactions until it dies, half of them just before the commit, half just after it; null for not at all. */
  commitsLeft: number | null = null;
  diesBeforeCommit = false;

  /** @throws Killed */
  check(): void {
    if (this.dead) throw new Killed();
  }

  die(): never {
    this.dead = true;
    throw new Killed();
  }

  /** The clock of this life: its timers die with it. */
  clockOf(clock: Clock): Clock {
    return {
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      epoch: clock.epoch,
      after: (delayMs, callback, options) =>
        clock.after(
          delayMs,
          () => {
            if (this.dead) return;
            try {
              callback();
            } catch (error) {
              if (!(error instanceof Killed)) throw error;
            }
          },
          options,
        ),
    };
  }
}

/** What the disk is like; outlives the relay. */
export interface Disk {
  full: boolean;
}

const WRITES = new Set([
  ...['addPacket', 'addEvent', 'noteOwnPacket', 'markDone', 'park'],
  ...['add', 'update', 'postpone', 'redirectReplies', 'requeueSent', 'renumber', 'prune', 'pruneTimes'],
  ...['put', 'set', 'delete', 'append'],
]);

/** The store as one life sees it: it dies around a commit, and a full disk undoes what was written. */
export function mortalStore(store: StorePort, life: Life, disk: Disk): StorePort {
  let depth = 0;
  const outermost = <T>(work: () => T): T => {
    life.check();
    const left = life.commitsLeft;
    if (left !== null) life.commitsLeft = left - 1;
    const isLast = left !== null && left <= 0;
    const result = store.transaction(() => {
      const value = work();
      life.check();
      if (isLast && life.diesBeforeCommit) life.die();
      if (disk.full) throw new RelayError('STORE_FULL', 'no room left', { retry: RETRY_LATER });
      return value;
    });
    if (isLast) life.die();
    return result;
  };
  const transaction = <T>(work: () => T): T => {
    if (depth > 0) return store.transaction(work);
    depth = 1;
    try {
      return outermost(work);
    } finally {
      depth = 0;
    }
  };
  const guard = <Part extends object>(part: Part): Part =>
    new Proxy(part, {
      get: (target, name) => {
        const member: unknown = Reflect.get(target, name);
        if (typeof member !== 'function') return member;
        return (...args: unknown[]): unknown => {
          life.check();
          const call = (): unknown => member.apply(target, args);
          return WRITES.has(String(name)) ? transaction(call) : call();
        };
      },
    });
  return {
    transaction,
    inbox: guard(store.inbox),
    outbox: guard(store.outbox),
    links: guard(store.links),
    names: guard(store.names),
    values: guard(store.values),
    pluginData: guard(store.pluginData),
  };
}
