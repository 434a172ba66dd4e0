import { dirname, join } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import type { RelayConfig } from '../../config/types.ts';
import { DeviceCrypto, type DeviceCryptoOptions } from '../../matrix/crypto/device-crypto.ts';
import type { IdentityOptions } from '../../matrix/crypto/identity.ts';
import type { RoomCrypto } from '../../matrix/crypto/room-crypto.ts';
import type { VerificationPolicy } from '../../matrix/crypto/verification.ts';
import type { EncryptedRooms } from '../../matrix/sender.ts';
import type { ValueStore } from '../../relay/store-port.ts';
import type { Clock } from '../../util/clock.ts';
import { writeFileDurably } from '../../util/durable-file.ts';
import type { Logger } from '../../util/logger.ts';

/** The key that opens the crypto stores lies beside the credentials: one secret folder to mount and to back up. */
export const CRYPTO_KEY_FILE = 'crypto.key';
/** Not in the log, which others read: a file that its owner takes away. */
export const RECOVERY_KEY_FILE = 'recovery-key.txt';

export interface EncryptionOptions {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onFatal: (error: unknown) => void;
  readonly verification: VerificationPolicy;
}

/** End-to-end encryption as configured; undefined when it is switched off. Nothing is loaded before it is attached. */
export function buildCrypto(options: EncryptionOptions, password: string | null): RoomCrypto | undefined {
  const { config, paths, ...rest } = options;
  const { enabled, trust } = config.matrix.e2ee;
  if (enabled === 'off') return undefined;
  return new DeviceCrypto({
    ...cryptoFiles(paths),
    ...rest,
    trust,
    required: enabled === 'on',
    canReplaceDevice: password !== null,
    identity: { ...identityFiles(paths, options.logger), password, reset: false },
  });
}

/** Where the stores and their key lie. */
export function cryptoFiles(paths: AppPaths): Pick<DeviceCryptoOptions, 'storeFolder' | 'keyPath'> {
  return { storeFolder: paths.store.path, keyPath: join(dirname(paths.credentials.path), CRYPTO_KEY_FILE) };
}

export function identityFiles(paths: AppPaths, logger: Logger): Pick<IdentityOptions, 'saveRecoveryKey'> {
  return { saveRecoveryKey: (key) => saveRecoveryKey(recoveryKeyFile(paths), key, logger) };
}

export function recoveryKeyFile(paths: AppPaths): string {
  return join(dirname(paths.credentials.path), RECOVERY_KEY_FILE);
}

/** Rooms once seen encrypted, kept for ever. */
export function encryptedRooms(values: ValueStore): EncryptedRooms {
  const key = (roomId: string): string => `encrypted:${roomId}`;
  return {
    has: (roomId) => values.get(key(roomId)) !== null,
    add: (roomId) => {
      if (values.get(key(roomId)) === null) values.set(key(roomId), 'yes');
    },
  };
}

function saveRecoveryKey(path: string, recoveryKey: string, logger: Logger): void {
  writeFileDurably(path, `${recoveryKey}\n`);
  logger.warn(
    'The recovery key of the account has been written to a file: keep it somewhere safe and delete the file',
    {
      file: path,
    },
  );
}
