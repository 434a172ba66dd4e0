import type { Clock } from '../../util/clock.ts';
import type { RelayObserver } from '../observer.ts';
import type { MatrixPort, RoomEvent, SyncBatch } from '../ports.ts';
import { isRelayable } from '../rules/room-to-mesh.ts';
import type { StorePort } from '../store-port.ts';
import { newsOf } from './room-history.ts';
import type { UnreadEvents } from './unread-events.ts';

export interface EventIntakeOptions {
  readonly store: StorePort;
  readonly matrix: Pick<MatrixPort, 'userId'>;
  readonly clock: Clock;
  readonly observer: Pick<RelayObserver, 'onRoomEvent'>;
  readonly unread: UnreadEvents;
  /** Part of what a room said cannot be had any more. Runs inside the transaction of the batch. */
  readonly onGap: (roomId: string) => void;
}

const TOKEN_KEY = 'sync_token';
const TOKEN_USER_KEY = 'sync_user';

/**
 * Puts what is news in the rooms into the inbox. One per engine; holds nothing, all of it is in the store. Invariant:
 * the sync token is stored in the transaction of the events that it covers.
 */
export class EventIntake {
  readonly #options: EventIntakeOptions;

  constructor(options: EventIntakeOptions) {
    this.#options = options;
  }

  /** Where to go on; nowhere when the token belongs to another account. */
  syncToken(): string | null {
    const { store, matrix } = this.#options;
    const user = matrix.userId();
    const owner = store.values.get(TOKEN_USER_KEY);
    return user !== null && owner !== null && user !== owner ? null : store.values.get(TOKEN_KEY);
  }

  /** The next answer of the homeserver. On disk when it returns. @throws RelayError STORE_* */
  add(batch: SyncBatch): void {
    const { store, matrix, unread, onGap } = this.#options;
    const ownUser = matrix.userId();
    store.transaction(() => {
      for (const event of newsOf(batch, ownUser, store.values)) {
        if (event.sender === ownUser) continue;
        const readable = event.undecryptable === null ? event : unread.add(event);
        if (readable !== null) this.#store(readable);
      }
      for (const roomId of batch.gaps) onGap(roomId);
      store.values.set(TOKEN_KEY, batch.nextToken);
      if (ownUser !== null) store.values.set(TOKEN_USER_KEY, ownUser);
    });
  }

  /** There is more to say of an event that was unreadable. On disk when it returns. @throws RelayError STORE_* */
  learn(event: RoomEvent): void {
    this.#options.store.transaction(() => {
      const readable = this.#options.unread.learn(event);
      if (readable !== null) this.#store(readable);
    });
  }

  #store(event: RoomEvent): void {
    const { store, clock, observer, unread } = this.#options;
    if (!isRelayable(event)) return;
    unread.noteRead(event);
    if (store.inbox.addEvent(event, clock.now()) !== null) observer.onRoomEvent(event);
  }
}
