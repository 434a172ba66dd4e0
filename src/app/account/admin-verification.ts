import type { Requester, VerificationPolicy } from '../../matrix/crypto/verification.ts';
import type { Logger } from '../../util/logger.ts';

/**
 * The running relay lets its administrators verify it. It has no eyes, so it says that the emoji are the same without
 * comparing: nothing it does depends on whom it has verified. Whether the relay is the real one is for the administrator
 * to see, who compares with the log. Never another session of its own account: that one would get the account's secrets.
 * @param admins asked late, as a reload may replace them
 */
export function adminVerification(admins: () => readonly string[], logger: Logger): VerificationPolicy {
  return {
    accepts: ({ userId, isOwnAccount }: Requester) => !isOwnAccount && admins().includes(userId),
    compare: (signs, { userId }) => {
      logger.warn('Verification: confirm in your client only if it shows the same', {
        user: userId,
        signs: signs.join(', '),
      });
      return Promise.resolve(true);
    },
    onEnd: ({ userId }, isVerified) => {
      if (isVerified) logger.info('Verified with a user', { user: userId });
      else logger.warn('A verification was not completed', { user: userId });
    },
  };
}
