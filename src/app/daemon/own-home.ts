import { accessSync, constants, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import { oldRelaysOn } from '../../observe/open-files.ts';
import { acquireLock, type ProcessLock } from '../../observe/process-lock.ts';
import type { Clock } from '../../util/clock.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';

/** Makes the folders that are missing. @throws RelayError CONFIG_HOME_UNWRITABLE */
export function makeHome(paths: AppPaths): void {
  for (const folder of [paths.home.path, dirname(paths.database.path)]) {
    try {
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      accessSync(folder, constants.W_OK | constants.X_OK);
    } catch (error) {
      throw new RelayError(
        'CONFIG_HOME_UNWRITABLE',
        `${folder} cannot be written (${errorText(error)}): set MMRELAY_HOME or --home to a folder that can be written`,
      );
    }
  }
}

/** @throws RelayError STORE_IN_USE beside another relay of this kind */
export function lockHome(paths: AppPaths, clock: Clock): ProcessLock {
  const lock = acquireLock({ path: paths.lockFile.path, clock });
  if (lock.ok) return lock.lock;
  throw new RelayError(
    'STORE_IN_USE',
    `Another mmrelay (pid ${lock.owner.pid}) already runs on ${paths.home.path}: stop it, or give this one its own --home`,
  );
}

/**
 * The Python relay has no lock; two on one home would share a Matrix device and a radio, and the schema would change under
 * it. @throws RelayError STORE_IN_USE
 */
export function refuseBesideOldRelay(paths: AppPaths): void {
  const [pid] = oldRelaysOn(paths.database.path);
  if (pid === undefined) return;
  throw new RelayError(
    'STORE_IN_USE',
    `The Python relay (pid ${pid}) still runs on ${paths.home.path}: stop it, or give this one its own --home and login`,
  );
}
