import { existsSync } from 'node:fs';
import type { AppPaths } from '../../config/paths.ts';
import { acquireLock } from '../../observe/process-lock.ts';
import { inspectStore, type StoreView } from '../../store/inspect-store.ts';
import { openStore, type Store } from '../../store/open-store.ts';
import type { Clock } from '../../util/clock.ts';
import { silentLogger } from '../../util/logger.ts';
import { RelayError } from '../../util/relay-error.ts';

const DAY_MS = 86_400_000;
/** As the daemon's own housekeeping. */
const KEEP_SEEN_MS = 7 * DAY_MS;
const KEEP_LINKS_MS = 90 * DAY_MS;

/** Reads every page, also beside a running relay. @throws RelayError STORE_MISSING, STORE_CORRUPT */
export function checkDatabase(paths: AppPaths): StoreView {
  const view = inspectStore(paths.database.path, 'full');
  if (view === null) throw missing(paths);
  return view;
}

/** Gives unused space back. @throws RelayError STORE_IN_USE beside a running relay, STORE_MISSING, STORE_* */
export function vacuumDatabase(
  paths: AppPaths,
  clock: Clock,
): { readonly beforeBytes: number; readonly afterBytes: number } {
  return withStore(paths, clock, (store) => {
    const beforeBytes = store.size().fileBytes;
    store.vacuum();
    return { beforeBytes, afterBytes: store.size().fileBytes };
  });
}

/** Forgets what is finished and old. @throws RelayError STORE_IN_USE beside a running relay, STORE_MISSING, STORE_* */
export function pruneDatabase(
  paths: AppPaths,
  options: { readonly clock: Clock; readonly keepLinks: number },
): { readonly inbox: number; readonly outbox: number; readonly links: number } {
  const { clock, keepLinks } = options;
  return withStore(paths, clock, (store) => {
    const now = clock.now();
    return store.transaction(() => ({
      inbox: store.inbox.prune(now - KEEP_SEEN_MS),
      outbox: store.outbox.prune(now - KEEP_SEEN_MS),
      links: store.links.prune({ beforeMs: now - KEEP_LINKS_MS, keepAtLeast: keepLinks }),
    }));
  });
}

function withStore<T>(paths: AppPaths, clock: Clock, work: (store: Store) => T): T {
  if (!existsSync(paths.database.path)) throw missing(paths);
  const lock = acquireLock({ path: paths.lockFile.path, clock });
  if (!lock.ok) throw new RelayError('STORE_IN_USE', `The relay is running (pid ${lock.owner.pid}): stop it first`);
  try {
    const store = openStore({ path: paths.database.path, logger: silentLogger, clock });
    try {
      return work(store);
    } finally {
      store.close();
    }
  } finally {
    lock.lock.release();
  }
}

function missing(paths: AppPaths): RelayError {
  return new RelayError('STORE_MISSING', `There is no database at ${paths.database.path} yet`);
}
