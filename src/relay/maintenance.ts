import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { errorText } from '../util/relay-error.ts';
import { DEDUP_WINDOW_MS, type RelaySettings } from './settings.ts';
import type { StorePort } from './store-port.ts';
import { TOLD_PREFIX } from './teller.ts';

export interface MaintenanceOptions {
  readonly store: StorePort;
  readonly settings: RelaySettings;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Rows that no lane looks after. */
  readonly expireOrphans: () => void;
}

const HOUR_MS = 3_600_000;
const OUTBOX_KEEP_MS = 7 * 24 * HOUR_MS;
/** A status comes within a message's age; after that nobody asks whether it was told. */
const TOLD_KEEP_MS = 30 * 24 * HOUR_MS;
/** Packets and events remembered whatever the clock says: some hours of a busy mesh. */
const KEEP_KEYS = 5_000;
/** Of the largest meshes, and of one where somebody makes nodes up. */
const KEEP_NAMES = 5_000;
const LINKS_KEEP_MS = 90 * 24 * HOUR_MS;

/** Keeps the database from growing for ever. One per engine; holds its timer. */
export class Maintenance {
  readonly #options: MaintenanceOptions;
  #cancel: () => void = () => undefined;

  constructor(options: MaintenanceOptions) {
    this.#options = options;
  }

  start(): void {
    this.#schedule(HOUR_MS / 60);
  }

  stop(): void {
    this.#cancel();
  }

  #schedule(delayMs: number): void {
    this.#cancel = this.#options.clock.after(delayMs, () => this.#round(), { background: true });
  }

  #round(): void {
    const { store, clock, settings, logger } = this.#options;
    const nowMs = clock.now();
    try {
      this.#options.expireOrphans();
      store.transaction(() => {
        store.inbox.prune(nowMs - DEDUP_WINDOW_MS, KEEP_KEYS);
        store.values.pruneTimes(TOLD_PREFIX, nowMs - TOLD_KEEP_MS);
        store.outbox.prune(nowMs - OUTBOX_KEEP_MS);
        store.names.prune(KEEP_NAMES);
        store.links.prune({ beforeMs: nowMs - LINKS_KEEP_MS, keepAtLeast: settings.keepLinks });
      });
    } catch (error) {
      logger.warn('Old rows could not be removed', { error: errorText(error) });
    }
    this.#schedule(HOUR_MS);
  }
}
