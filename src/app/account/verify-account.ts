import type { AppPaths } from '../../config/paths.ts';
import type { Requester } from '../../matrix/crypto/verification.ts';
import { silentLogger } from '../../util/logger.ts';
import { type ErrandAccount, runErrand } from './errand.ts';

export interface VerifyDialogue {
  /** The only user whose request is taken; null: whoever comes first. */
  readonly only: string | null;
  /** Requests can come from now on. */
  readonly onReady: (account: ErrandAccount) => void;
  /**
   * @param signs what the other side must show too
   * @param request.signal aborts when the other side gives up
   * @returns whether it does
   */
  readonly compare: (
    signs: readonly string[],
    request: { readonly who: string; readonly signal: AbortSignal },
  ) => Promise<boolean>;
}

const IF_RUNNING =
  'It lets the users of matrix.admins verify it and writes the emoji into its log; for anybody else, stop it first.';

/**
 * Waits until somebody asks to verify the account or this device of it, and lets a person compare.
 * @returns whether it ended well
 * @throws RelayError as `runErrand`
 */
export async function verifyAccount(paths: AppPaths, dialogue: VerifyDialogue): Promise<boolean> {
  const ended = Promise.withResolvers<boolean>();
  const over = new AbortController();
  let partner = dialogue.only;
  const isPartner = (userId: string): boolean => partner === null || partner === userId;
  const verification = {
    accepts: ({ userId }: Requester) => isPartner(userId),
    compare: (signs: readonly string[], { userId, deviceId, isOwnAccount }: Requester) => {
      partner = userId;
      const who = isOwnAccount ? `Another session of this account (${deviceId ?? 'unknown device'})` : userId;
      return dialogue.compare(signs, { who, signal: over.signal });
    },
    onEnd: (_requester: Requester, isVerified: boolean) => {
      over.abort();
      ended.resolve(isVerified);
    },
  };
  const crypto = { identity: null, verification };
  const options = { paths, logger: silentLogger, ifRunning: IF_RUNNING, welcomes: isPartner, crypto };
  return await runErrand(options, async (account) => {
    dialogue.onReady(account);
    return await ended.promise;
  });
}
