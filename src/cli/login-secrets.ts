import { readFileSync } from 'node:fs';
import type { MatrixConfig } from '../config/types.ts';
import { errorText, RelayError } from '../util/relay-error.ts';
import { askSecret, isInteractive } from './ask.ts';

export interface PasswordFlags {
  /** Ask nothing. */
  readonly yes?: boolean | undefined;
  readonly password?: string | undefined;
  readonly passwordStdin?: boolean | undefined;
  readonly passwordFile?: string | undefined;
}

export interface TokenFlags {
  readonly accessTokenStdin?: boolean | undefined;
  readonly accessTokenFile?: string | undefined;
}

/** The password by flag, then configuration; null when neither has one. Standard input can be read once. */
export function knownPassword(flags: PasswordFlags, matrix: MatrixConfig | null): string | null {
  const given = flags.password ?? readSecret('password', flags.passwordStdin, flags.passwordFile);
  return filled(given ?? matrix?.password);
}

/** null without a terminal. */
export async function askPassword(flags: Pick<PasswordFlags, 'yes'>): Promise<string | null> {
  return isInteractive(flags) ? filled(await askSecret('Enter Matrix password: ')) : null;
}

/** The access token by flag. */
export function givenToken(flags: TokenFlags): string | null {
  return filled(readSecret('access token', flags.accessTokenStdin, flags.accessTokenFile));
}

/** null for a text with nothing in it. */
export function filled(text: string | null | undefined): string | null {
  return text === null || text === undefined || text.trim() === '' ? null : text;
}

function readSecret(what: string, stdin: boolean | undefined, file: string | undefined): string | null {
  const source = stdin === true ? 0 : file;
  if (source === undefined) return null;
  try {
    return readFileSync(source, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new RelayError('MATRIX_LOGIN_PASSWORD', `The ${what} cannot be read: ${errorText(error)}`);
  }
}
