/** Names whose values are secrets wherever they stand: fields of a log line, JSON, query parameters, forms, configuration. */
export const SECRET_NAMES =
  'access_token|accessToken|refresh_token|refreshToken|oauth_token|private_token|x-access-token|token|auth|authorization|password|passwd|pwd|passphrase|passcode|recovery_key|recoveryKey|secret|client_secret|api_key|apikey|bearer|psk|private_key|privateKey|pickle_key|pickleKey';

const SECRET_NAME = new RegExp(
  `^(?:${SECRET_NAMES}|.*(?:_password|_token|_secret|_api_key|_apikey|Password|Token|Secret|ApiKey))$`,
  'i',
);

/** Not secrets although they are called tokens: positions in a stream of events. */
const HARMLESS = new Set(['next_batch', 'since', 'synctoken', 'sync_token', 'sincetoken', 'nexttoken', 'from_token']);

/** True for the name of a field whose value must not be shown. */
export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name) && !HARMLESS.has(name.toLowerCase());
}
