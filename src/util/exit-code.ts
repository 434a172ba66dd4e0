import { RelayError } from './relay-error.ts';

/** Exit codes, so that a supervisor can tell what a restart can cure (docs/CONFIGURATION.md lists them). */
export const EXIT = { ok: 0, runtime: 1, usage: 2, config: 3, credentials: 4, store: 5 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const CREDENTIAL_CODES = /^MATRIX_(?:NO_CREDENTIALS|CREDENTIALS_|LOGIN_|LOGGED_OUT)/;

/** The exit code a failure ends with. */
export function exitCodeOf(error: unknown): ExitCode {
  if (!(error instanceof RelayError)) return EXIT.runtime;
  if (error.code.startsWith('CONFIG_')) return EXIT.config;
  if (error.code.startsWith('STORE_') || error.code.startsWith('CRYPTO_STORE')) return EXIT.store;
  return CREDENTIAL_CODES.test(error.code) ? EXIT.credentials : EXIT.runtime;
}
