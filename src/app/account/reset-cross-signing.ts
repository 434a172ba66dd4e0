import type { AppPaths } from '../../config/paths.ts';
import { silentLogger } from '../../util/logger.ts';
import { RelayError } from '../../util/relay-error.ts';
import { identityFiles, recoveryKeyFile } from './encryption.ts';
import { runErrand } from './errand.ts';

/**
 * Replaces the cross-signing identity of the account, its secret storage and its key backup by new ones of this device.
 * @param password null where the account has none: the homeserver may want the reset approved in a browser
 * @throws RelayError as `runErrand`; MATRIX_IDENTITY with what the homeserver says against it
 */
export async function resetCrossSigning(
  paths: AppPaths,
  password: string | null,
): Promise<{ readonly userId: string; readonly recoveryKeyFile: string }> {
  const done = Promise.withResolvers<void>();
  done.promise.catch(() => undefined); // told below, unless something else fails before
  const identity = {
    ...identityFiles(paths, silentLogger),
    password,
    reset: true,
    onEnd: (error: Error | null) => {
      if (error === null) done.resolve();
      else
        done.reject(
          new RelayError('MATRIX_IDENTITY', `The identity could not be replaced: ${error.message}. Run it again`),
        );
    },
  };
  const options = { paths, logger: silentLogger, crypto: { identity }, ifRunning: 'Stop it, then try again.' };
  return await runErrand(options, async ({ userId }) => {
    await done.promise;
    return { userId, recoveryKeyFile: recoveryKeyFile(paths) };
  });
}
