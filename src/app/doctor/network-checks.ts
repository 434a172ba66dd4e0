import { accessSync, constants, existsSync } from 'node:fs';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { AppPaths } from '../../config/paths.ts';
import type { RadioConfig, RelayConfig } from '../../config/types.ts';
import type { Credentials } from '../../matrix/auth/credentials-file.ts';
import { isEnding } from '../../matrix/auth/renew.ts';
import { createHttp, type HttpSend } from '../../matrix/http.ts';
import type { Clock } from '../../util/clock.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { chooseAuth } from '../account/choose-auth.ts';
import { checkToken } from '../account/session.ts';
import { type Finding, findingsOf } from './finding.ts';

const TIMEOUT_MS = 5_000;

export interface MatrixCheck {
  readonly findings: readonly Finding[];
  /** What time it is at the homeserver; null when it was not asked or did not say. */
  readonly serverMs: number | null;
}

/** Credentials; with `online`, also whether the homeserver takes them, and the rooms. */
export async function checkMatrix(
  config: RelayConfig | null,
  paths: AppPaths,
  { online, clock }: { readonly online: boolean; readonly clock: Clock },
): Promise<MatrixCheck> {
  const seen: { serverMs: number | null } = { serverMs: null };
  const http = createHttp(clock, (nowMs) => {
    seen.serverMs = nowMs;
  });
  const findings = await checkAccount(config, paths, { http: online ? http : null, clock });
  return { findings, serverMs: seen.serverMs };
}

/** Looking changes nothing, and a renewal would. */
const RENEWED_LATER =
  'the access token has ended, the next start renews it (`mmrelay auth status --check` does it now)';

async function checkAccount(
  config: RelayConfig | null,
  paths: AppPaths,
  { http, clock }: { readonly http: HttpSend | null; readonly clock: Clock },
): Promise<Finding[]> {
  const finding = findingsOf('matrix');
  if (config === null) return [finding('info', 'not checked: the configuration is not valid')];
  try {
    const { credentials, login } = chooseAuth(config.matrix, paths);
    if (credentials === null) {
      return [finding('ok', `no session yet; the next start logs in as ${login?.user ?? ''} with the password`)];
    }
    const who = credentials.userId ?? 'an account whose name the server will tell';
    const stored = finding('ok', `session of ${who} on ${credentials.homeserver}`);
    if (credentials.renewal !== undefined && !canReplace(paths.credentials.path)) {
      const words = `${paths.credentials.path} cannot be replaced, but the session renews itself: a restart would lose it`;
      return [stored, finding('error', words, 'put it on a volume that the relay can write')];
    }
    if (http === null) return [stored];
    if (isEnding(credentials, clock.now())) return [stored, finding('info', RENEWED_LATER)];
    return [stored, ...(await askHomeserver(credentials, config, { http, canLogIn: login !== null }))];
  } catch (error) {
    return [finding('error', errorText(error), 'run `mmrelay auth login`')];
  }
}

function canReplace(file: string): boolean {
  try {
    accessSync(dirname(file), constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false; // accessSync says no by throwing
  }
}

async function askHomeserver(
  credentials: Credentials,
  config: RelayConfig,
  { http, canLogIn }: { readonly http: HttpSend; readonly canLogIn: boolean },
): Promise<Finding[]> {
  const finding = findingsOf('matrix');
  try {
    const who = await checkToken(credentials, { http, timeoutMs: TIMEOUT_MS });
    const token = finding('ok', `the homeserver accepts the token (device ${who.deviceId ?? 'without an id'})`);
    return [token, ...(await checkRooms(credentials, config, { http, userId: who.userId }))];
  } catch (error) {
    const refused = error instanceof RelayError && error.code === 'MATRIX_LOGGED_OUT';
    const words = 'the homeserver refuses the token';
    if (refused && canLogIn) return [finding('info', `${words}; the next start logs in with the password`)];
    if (refused) return [finding('error', words, 'run `mmrelay auth login`')];
    return [finding('warning', errorText(error), 'messages wait in the outbox until it answers')];
  }
}

type Ask = (path: string) => Promise<Readonly<Record<string, unknown>>>;

async function checkRooms(
  credentials: Credentials,
  config: RelayConfig,
  { http, userId }: { readonly http: HttpSend; readonly userId: string },
): Promise<Finding[]> {
  const { homeserver, accessToken: token } = credentials;
  const ask: Ask = (path) =>
    http({ method: 'GET', url: `${homeserver}/_matrix/client/v3${path}`, token, timeoutMs: TIMEOUT_MS });
  const joined = (await ask('/joined_rooms')).joined_rooms;
  const member = new Set(Array.isArray(joined) ? joined.map(String) : []);
  return Promise.all(config.rooms.map(({ id }) => checkRoom(id, { ask, member, userId })));
}

async function checkRoom(
  id: string,
  context: { readonly ask: Ask; readonly member: ReadonlySet<string>; readonly userId: string },
): Promise<Finding> {
  const finding = findingsOf('matrix');
  const { ask, member, userId } = context;
  try {
    const alias = id.startsWith('#') ? await ask(`/directory/room/${encodeURIComponent(id)}`) : null;
    const roomId = alias === null ? id : String(alias.room_id);
    if (!member.has(roomId))
      return finding('warning', `${id}: not joined`, 'invite the account; the relay joins by itself');
    const state = (type: string): ReturnType<Ask> => ask(`/rooms/${encodeURIComponent(roomId)}/state/${type}`);
    const encrypted = await orNone(state('m.room.encryption'));
    const levels = await orNone(state('m.room.power_levels'));
    const words = `${id}: joined, ${encrypted === null ? 'not encrypted' : 'encrypted'}`;
    if (levels === null || maySend(levels, userId)) return finding('ok', words);
    return finding('warning', `${words}, but this account may not write`, 'raise its power level in the room');
  } catch (error) {
    return finding('warning', `${id}: ${errorText(error)}`, 'check the id or alias');
  }
}

/** null: the room has no such state. */
async function orNone(answer: ReturnType<Ask>): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof Error && error.message.includes('M_NOT_FOUND')) return null;
    throw error;
  }
}

/** Room versions up to 12 alike: a creator above all levels is not listed, and has no need to be. */
function maySend(levels: Readonly<Record<string, unknown>>, userId: string): boolean {
  const number = (value: unknown): number | null => (typeof value === 'number' ? value : null);
  const within = (value: unknown, key: string): number | null =>
    typeof value === 'object' && value !== null ? number(Reflect.get(value, key)) : null;
  const own = within(levels.users, userId) ?? number(levels.users_default) ?? 0;
  const needed = within(levels.events, 'm.room.message') ?? number(levels.events_default) ?? 0;
  return own >= needed;
}

/** The way to each radio. A radio takes one client: `online` must be false beside a running daemon. */
export async function checkRadios(
  config: RelayConfig | null,
  options: { readonly online: boolean },
): Promise<Finding[]> {
  const finding = findingsOf('radio');
  if (config === null) return [finding('info', 'not checked: the configuration is not valid')];
  return Promise.all(config.radios.map((radio) => checkRadio(radio, options.online)));
}

async function checkRadio({ name, connection }: RadioConfig, online: boolean): Promise<Finding> {
  const finding = findingsOf('radio');
  if (connection.kind === 'serial') return checkSerial(name, connection.path);
  if (connection.kind !== 'tcp' && connection.kind !== 'mqtt')
    return finding('info', `${name}: ${connection.kind}, not tried`);
  const isBroker = connection.kind === 'mqtt';
  const { host, port } = isBroker ? connection.mqtt : connection;
  const where = `${name}: ${isBroker ? 'MQTT broker ' : ''}${host}:${port}`;
  if (!online) return finding('info', `${where}, not tried`);
  const failure = await tcpFailure({ host, port });
  if (failure === null) return finding('ok', `${where} answers`);
  const remedy = isBroker ? 'check the address of the broker' : 'check power, address and WiFi of the radio';
  return finding('warning', `${where}: ${failure}`, remedy);
}

function checkSerial(name: string, path: string): Finding {
  const finding = findingsOf('radio');
  if (!existsSync(path)) {
    return finding('warning', `${name}: ${path} is not there`, 'plug it in, or list devices with `mmrelay radios`');
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return finding('ok', `${name}: ${path} can be opened`);
  } catch {
    // accessSync says no by throwing
    return finding(
      'error',
      `${name}: no permission for ${path}`,
      'add the user to the group dialout, and log in again',
    );
  }
}

/** null when the connection opens; it is closed at once, before the radio has to talk. */
function tcpFailure(target: { readonly host: string; readonly port: number }): Promise<string | null> {
  return new Promise((resolve) => {
    const socket = connect({ ...target, timeout: TIMEOUT_MS });
    const finish = (failure: string | null): void => {
      socket.destroy();
      resolve(failure);
    };
    socket.once('connect', () => finish(null));
    socket.once('timeout', () => finish(`no answer within ${TIMEOUT_MS / 1000} s`));
    socket.once('error', (error) => finish(errorText(error)));
  });
}
