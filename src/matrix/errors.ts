/** What a failed request means for a message: one place, so that every caller draws the same conclusion. */

import { RETRY_LATER, RETRY_NEVER, RelayError } from '../util/relay-error.ts';
import { HttpFailure } from './http.ts';

const RATE_LIMIT_DEFAULT_MS = 5000;

/** The access token is no longer good. A 401 without these codes is a refusal of something else, or a proxy. */
export function isLoggedOut(error: unknown): boolean {
  if (error instanceof RelayError) return error.code === 'MATRIX_LOGGED_OUT';
  return (
    error instanceof HttpFailure && error.status === 401 && /^M_(UNKNOWN|MISSING)_TOKEN$/.test(error.errcode ?? '')
  );
}

/**
 * Whether our device is still there after the token was refused, with its keys: a login may go on with it. Else the
 * device is gone, and one of the same name would have keys that nobody knows (client-server API "Soft logout").
 */
export function keepsDevice(error: unknown): boolean {
  return !(error instanceof HttpFailure && error.errcode === 'M_UNKNOWN_TOKEN' && error.body.soft_logout !== true);
}

/**
 * @param doing what was tried, to complete "Could not ..."
 * @returns an error with its policy. A 4xx without a Matrix error code comes from something in between, so it is an
 *   outage, not a refusal.
 */
export function toRelayError(error: unknown, doing: string): RelayError {
  if (error instanceof RelayError) return error;
  if (!(error instanceof HttpFailure)) {
    return new RelayError('MATRIX_FAILED', `Could not ${doing}.`, { retry: RETRY_LATER, certain: false, cause: error });
  }
  const message = `Could not ${doing}: ${error.message}`;
  if (error.status === 429) {
    const ms = error.retryAfterMs ?? RATE_LIMIT_DEFAULT_MS;
    return new RelayError('MATRIX_RATE_LIMITED', message, { retry: { kind: 'after', ms }, cause: error });
  }
  if (isLoggedOut(error)) return new RelayError('MATRIX_LOGGED_OUT', message, { retry: RETRY_LATER, cause: error });
  // A 401 is about the account (locked, for one), and says nothing of what was asked.
  const passing = error.status === 401 || error.status === 408;
  const refused = error.status >= 400 && error.status < 500 && !passing && error.errcode !== null;
  if (refused && error.errcode !== 'M_UNRECOGNIZED') return refusal(error, message);
  const certain = error.kind === 'unreached' || (error.status >= 400 && error.status < 500);
  return new RelayError('MATRIX_UNAVAILABLE', message, { retry: RETRY_LATER, certain, cause: error });
}

function refusal(error: HttpFailure, message: string): RelayError {
  const never = (code: 'FORBIDDEN' | 'NOT_FOUND' | 'TOO_LARGE' | 'REFUSED', userText: string): RelayError =>
    new RelayError(`MATRIX_${code}`, message, { retry: RETRY_NEVER, userText, cause: error });
  if (error.status === 413 || error.errcode === 'M_TOO_LARGE') return never('TOO_LARGE', 'too large for Matrix');
  if (error.status === 403) return never('FORBIDDEN', 'not allowed in this Matrix room');
  if (error.status === 404) return never('NOT_FOUND', 'the Matrix homeserver does not know the target');
  return never('REFUSED', 'refused by the Matrix homeserver');
}
