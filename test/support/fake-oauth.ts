import type { JsonObject } from '../../src/util/json.ts';
import { type ScriptedAnswer, type ScriptedRequest, scriptedServer } from './scripted-server.ts';

export interface FakeOAuth {
  readonly url: string;
  /** What we registered with. */
  readonly registration: JsonObject;
  readonly scope: string;
  /** Every question at the token endpoint. */
  readonly tokenForms: readonly JsonObject[];
  /** What was revoked. */
  readonly revoked: readonly string[];
  close(): Promise<void>;
}

const ISSUER = 'unstable/org.matrix.msc2965/auth_issuer';

/** A homeserver with an OAuth 2.0 server in one: no Matrix login, a device flow whose token endpoint says `answers` in turn. */
export async function fakeOAuth(options: {
  readonly answers: readonly JsonObject[];
  readonly metadata?: 'stable' | 'unstable' | 'issuer';
  readonly intervalSeconds?: number;
}): Promise<FakeOAuth> {
  const answers = [...options.answers];
  const seen = { registration: {} as JsonObject, scope: '', tokenForms: [] as JsonObject[], revoked: [] as string[] };
  let issued: unknown = null;
  const metadata = options.metadata ?? 'stable';
  const where = { stable: '/v1/auth_metadata', unstable: '/auth_metadata', issuer: '/openid-configuration' }[metadata];
  const reply = (request: ScriptedRequest): ScriptedAnswer => {
    const { path, form, body, token } = request;
    if (path.endsWith(where) && (metadata !== 'unstable' || path.includes('unstable')))
      return { body: addresses(server.url) };
    if (metadata === 'issuer' && path.endsWith(ISSUER)) return { body: { issuer: `${server.url}/` } };
    if (path === '/register') {
      seen.registration = body;
      const error_description = faultOf(body);
      if (error_description !== null)
        return { status: 400, body: { error: 'invalid_client_metadata', error_description } };
      return { status: 201, body: { client_id: 'client1' } };
    }
    if (path === '/device') {
      seen.scope = form.get('scope') ?? '';
      return { body: { ...GRANT, interval: options.intervalSeconds ?? 5 } };
    }
    if (path === '/token') {
      seen.tokenForms.push(Object.fromEntries(form));
      const answer = answers.shift() ?? { error: 'server_error' };
      if (typeof answer.status === 'number') return { status: answer.status, body: '<html>' };
      issued = answer.access_token ?? issued;
      return { status: statusOf(answer), body: answer };
    }
    if (path === '/revoke') seen.revoked.push(form.get('token') ?? '');
    if (path === '/revoke') return { body: '' };
    // Synapse calls a token that has ended unknown, and its device gone, whether it is or not (api/auth/mas.py).
    if (path.endsWith('/whoami') && token !== issued)
      return { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN', error: 'Token is not active', soft_logout: false } };
    if (path.endsWith('/whoami'))
      return { body: { user_id: '@relay:oauth.test', device_id: seen.scope.split(':').at(-1) ?? '' } };
    return { status: 404, body: { errcode: 'M_UNRECOGNIZED', error: 'Unrecognized request' } };
  };
  const server = await scriptedServer(reply);
  return {
    url: server.url,
    get registration() {
      return seen.registration;
    },
    get scope() {
      return seen.scope;
    },
    tokenForms: seen.tokenForms,
    revoked: seen.revoked,
    close: () => server.close(),
  };
}

/** What tuwunel, the strictest, has against a client (api/oidc/registration.rs). */
function faultOf({
  redirect_uris: redirects,
  response_types: responses,
  grant_types: grants,
}: JsonObject): string | null {
  const has = (list: unknown, ...values: string[]): boolean =>
    Array.isArray(list) && values.every((value) => list.includes(value));
  if (!Array.isArray(redirects) || redirects.length === 0) return 'redirect_uris must not be empty';
  if (!has(responses, 'code')) return 'response_types must include "code"';
  if (!has(grants, 'authorization_code', 'refresh_token')) return 'grant_types must include "authorization_code"';
  return null;
}

/** As Matrix Authentication Service answers about a device code (token.rs); RFC 8628 says 400 for all of them. */
const FORBIDDEN = ['authorization_pending', 'access_denied', 'expired_token'];

function statusOf({ error }: JsonObject): number {
  if (typeof error !== 'string') return 200;
  if (error === 'invalid_client') return 401;
  return FORBIDDEN.includes(error) ? 403 : 400;
}

const GRANT = {
  device_code: 'dc1',
  user_code: 'AB-CD',
  verification_uri: 'https://id.test/link',
  verification_uri_complete: 'https://id.test/link?c=ABCD',
  expires_in: 60,
};

function addresses(url: string): JsonObject {
  return {
    issuer: `${url}/`,
    authorization_endpoint: `${url}/authorize`,
    token_endpoint: `${url}/token`,
    registration_endpoint: `${url}/register`,
    device_authorization_endpoint: `${url}/device`,
    revocation_endpoint: `${url}/revoke`,
  };
}
