import type { JsonObject } from '../../util/json.ts';
import { asNumber, asString } from '../json-read.ts';
import type { OAuthClient, Renewal } from './credentials-file.ts';

/** Milliseconds an access token lasts, in the words of Matrix or of OAuth; null: not said, or for good. */
export function lifetimeMs(answer: JsonObject): number | null {
  const seconds = asNumber(answer.expires_in);
  return asNumber(answer.expires_in_ms) ?? (seconds === null ? null : seconds * 1000);
}

/**
 * How to renew a session, from the answer that began or renewed it.
 * @param previous the refresh token so far: an answer without one leaves it in use
 * @returns null when the session cannot be renewed
 */
export function readRenewal(
  answer: JsonObject,
  context: { readonly nowMs: number; readonly oauth: OAuthClient | null; readonly previous?: string },
): Renewal | null {
  const refreshToken = asString(answer.refresh_token) ?? context.previous ?? null;
  if (refreshToken === null) return null;
  const lasts = lifetimeMs(answer);
  return { refreshToken, expiresAtMs: lasts === null ? null : context.nowMs + lasts, oauth: context.oauth };
}
