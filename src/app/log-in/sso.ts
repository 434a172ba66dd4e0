import { openSsoCallback } from '../../matrix/auth/sso-callback.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import { RelayError } from '../../util/relay-error.ts';

/** What a login in the browser says to the user and hears from them. */
export interface SsoDialogue {
  readonly show: (address: string) => void;
  /**
   * The address that a browser on another machine ended at, copied by the user; asked again when it is not ours.
   * '' when they have none, or nobody can be asked, or `signal` aborts: the browser came back by itself.
   */
  readonly askForAddress: (signal: AbortSignal) => Promise<string>;
}

const WAIT_MS = 600_000;

/** The login token of a single sign-on in the user's browser. @throws RelayError MATRIX_LOGIN_EXPIRED */
export async function ssoToken(baseUrl: string, dialogue: SsoDialogue, clock: Clock): Promise<string> {
  const callback = await openSsoCallback(baseUrl);
  const done = new AbortController();
  try {
    dialogue.show(callback.address);
    const given = pasted(dialogue, callback.tokenIn, done.signal);
    const token = await Promise.race([callback.token, given, sleep(clock, WAIT_MS, done.signal).then(() => null)]);
    if (token !== null) return token;
  } finally {
    done.abort();
    await callback.close();
  }
  throw new RelayError('MATRIX_LOGIN_EXPIRED', 'Nobody logged in within 10 minutes: try again');
}

async function pasted(
  dialogue: SsoDialogue,
  tokenIn: (address: string) => string | null,
  signal: AbortSignal,
): Promise<string> {
  for (;;) {
    const address = await dialogue.askForAddress(signal);
    if (address.trim() === '') return new Promise(() => undefined); // the browser comes back by itself, or nobody
    const token = tokenIn(address);
    if (token !== null) return token;
  }
}
