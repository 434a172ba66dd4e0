import type { LoginOffer } from '../../matrix/auth/discovery.ts';
import { RelayError } from '../../util/relay-error.ts';

/** Ways in that a user can choose. */
export type LoginWay = 'password' | 'sso' | 'oauth';

/** What the homeserver offers of what we know, the one that needs least of the user first. */
export function offeredWays({ password, sso, oauth }: LoginOffer): readonly LoginWay[] {
  const hasDeviceFlow = oauth !== null && oauth.deviceEndpoint !== null && oauth.registrationEndpoint !== null;
  const ways: readonly (LoginWay | null)[] = [
    hasDeviceFlow ? 'oauth' : null,
    password ? 'password' : null,
    sso ? 'sso' : null,
  ];
  return ways.filter((way) => way !== null);
}

const REMEDIES: Readonly<Record<LoginWay, string>> = {
  password: 'a password (`--username` and `--password-stdin`)',
  sso: 'the browser (`mmrelay auth login --sso`)',
  oauth: 'the browser, by OAuth (`mmrelay auth login --oauth`)',
};

/** @throws RelayError MATRIX_LOGIN_UNSUPPORTED that names what the homeserver has and what to do */
export function needOffered(way: LoginWay, offer: LoginOffer, homeserver: string): void {
  const ways = offeredWays(offer);
  if (ways.includes(way)) return;
  const wanted = { password: 'with a password', sso: 'by single sign-on', oauth: 'by the OAuth device flow' }[way];
  const remedy =
    ways.length > 0
      ? `It offers ${ways.map((one) => REMEDIES[one]).join(', or ')}.`
      : `It offers ${offer.types.join(', ') || 'no way that we know'}: make an access token in another client and import it with \`mmrelay auth login --access-token-stdin\`.`;
  throw new RelayError('MATRIX_LOGIN_UNSUPPORTED', `${homeserver} lets nobody log in ${wanted}. ${remedy}`);
}
