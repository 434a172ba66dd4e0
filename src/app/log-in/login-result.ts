import type { Credentials } from '../../matrix/auth/credentials-file.ts';

export interface LoginResult {
  readonly credentials: Credentials;
  /** What the user should know about the session, in plain words. */
  readonly notes: readonly string[];
}
