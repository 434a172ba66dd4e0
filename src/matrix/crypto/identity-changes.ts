/**
 * What happens when somebody whom this relay has verified makes a new cross-signing identity. The SDK would neither read
 * that user nor encrypt for any room with them until somebody has verified them anew, and nobody sits here who could.
 * Whom the relay has verified decides nothing (docs/E2EE.md), so it takes the new identity, unverified, and says so.
 */

import type { CryptoApi } from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { Logger } from '../../util/logger.ts';

export interface IdentityContext {
  readonly crypto: Pick<CryptoApi, 'getUserVerificationStatus' | 'withdrawVerificationRequirement'>;
  readonly logger: Logger;
}

/**
 * Takes the new identity of those of these users who were verified under another one.
 * @returns whether there was any: what failed because of it can be tried again
 */
export async function acceptNewIdentities(
  userIds: Iterable<string>,
  { crypto, logger }: IdentityContext,
): Promise<boolean> {
  let isAny = false;
  for (const userId of new Set(userIds)) {
    const status = await crypto.getUserVerificationStatus(userId);
    if (!status.wasCrossSigningVerified() || status.isCrossSigningVerified()) continue;
    await crypto.withdrawVerificationRequirement(userId);
    logger.warn('A verified user has made a new identity, which is not verified', { user: userId });
    isAny = true;
  }
  return isAny;
}
