import type { AppPaths } from '../../config/paths.ts';
import { writeCredentials } from '../../matrix/auth/credentials-file.ts';
import { createMatrix } from '../../matrix/client.ts';
import { DeviceCrypto, type DeviceCryptoOptions } from '../../matrix/crypto/device-crypto.ts';
import { acquireLock } from '../../observe/process-lock.ts';
import type { MatrixState } from '../../relay/ports.ts';
import { systemClock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { RelayError } from '../../util/relay-error.ts';
import { cryptoFiles } from './encryption.ts';
import { storedSession } from './session.ts';

export interface ErrandOptions {
  readonly paths: AppPaths;
  readonly logger: Logger;
  readonly crypto: Pick<DeviceCryptoOptions, 'identity' | 'verification'>;
  /** Whose invitation to a direct chat is taken. */
  readonly welcomes?: (userId: string) => boolean;
  /** What a person can do who finds the relay running. */
  readonly ifRunning: string;
}

export interface ErrandAccount {
  readonly userId: string;
  readonly deviceId: string | null;
}

const READY_MS = 60_000;

/**
 * Brings the account of a home online with its keys, without a relay around it, for a command of the command line; the
 * home is locked meanwhile. Messages are left to the relay: its own sync token is not touched.
 * @throws RelayError STORE_IN_USE beside a running relay, MATRIX_* and CRYPTO_* with the reason in plain words
 */
export async function runErrand<T>(options: ErrandOptions, work: (account: ErrandAccount) => Promise<T>): Promise<T> {
  const { paths, logger, crypto, ifRunning, welcomes } = options;
  const credentials = storedSession(paths);
  if (credentials === null)
    throw new RelayError('MATRIX_NO_CREDENTIALS', 'There is no session: run `mmrelay auth login`');
  const lock = acquireLock({ path: paths.lockFile.path, clock: systemClock });
  if (!lock.ok) throw new RelayError('STORE_IN_USE', `The relay is running (pid ${lock.owner.pid}). ${ifRunning}`);
  const online = Promise.withResolvers<void>();
  const { promise: failed, reject: fail } = Promise.withResolvers<never>();
  failed.catch(() => undefined); // only those who wait for something want to know
  const matrix = createMatrix({
    credentials,
    login: null,
    saveCredentials: (fresh) => writeCredentials(paths.credentials.path, fresh),
    rooms: [],
    clock: systemClock,
    logger,
    random: Math.random,
    ...(welcomes === undefined ? {} : { welcomes }),
    crypto: new DeviceCrypto({
      ...cryptoFiles(paths),
      ...crypto,
      trust: 'all',
      required: true,
      canReplaceDevice: false,
      clock: systemClock,
      logger,
      onFatal: fail,
    }),
  });
  let state: MatrixState = matrix.state();
  const cancel = systemClock.after(READY_MS, () => fail(unreachable(state)), { background: true });
  try {
    const onState = (next: MatrixState): void => {
      state = next;
      if (next.status === 'syncing') online.resolve();
      if (next.status === 'logged-out') fail(unreachable(next));
    };
    matrix.start({ onState, onSync: () => undefined, onLearned: () => undefined }, null);
    await Promise.race([online.promise, failed]);
    cancel();
    if (!matrix.canEncrypt())
      throw new RelayError('CRYPTO_FAILED', 'The keys of this device cannot be used: see `mmrelay doctor`');
    return await Promise.race([work({ userId: matrix.userId() ?? '', deviceId: credentials.deviceId }), failed]);
  } finally {
    cancel();
    await matrix.stop();
    lock.lock.release();
  }
}

function unreachable({ reason }: MatrixState): RelayError {
  return new RelayError('MATRIX_UNAVAILABLE', reason ?? 'The homeserver does not answer');
}
