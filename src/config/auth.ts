import type { RelayConfig } from './types.ts';

/** How the relay will log in. */
export type AuthMethod = 'credentials' | 'password' | 'token';

/**
 * Which way of logging in the configuration gives: stored credentials, then a complete password login, then an access
 * token. null: none, the relay cannot reach Matrix until `mmrelay auth login` has been run.
 */
export function authMethod(config: RelayConfig, credentialsStored: boolean): AuthMethod | null {
  if (credentialsStored) return 'credentials';
  const { homeserver, botUserId, password, accessToken } = config.matrix;
  if (homeserver !== null && botUserId !== null && password !== null && password.trim() !== '') return 'password';
  return homeserver !== null && accessToken !== null ? 'token' : null;
}

/** The keys that a login needs beside those that are there; for the message when there is no method. */
export function missingAuthKeys(config: RelayConfig): string[] {
  const { homeserver, botUserId, password } = config.matrix;
  const missing: string[] = [];
  if (homeserver === null) missing.push('matrix.homeserver');
  if (botUserId === null) missing.push('matrix.bot_user_id');
  if (password === null) missing.push('matrix.password');
  return missing;
}
