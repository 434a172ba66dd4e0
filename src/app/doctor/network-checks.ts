import { accessSync, constants, existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { AppPaths } from '../../config/paths.ts';
import type { RadioConfig, RelayConfig } from '../../config/types.ts';
import type { Credentials } from '../../matrix/auth/credentials-file.ts';
import { createHttp } from '../../matrix/http.ts';
import { systemClock } from '../../util/clock.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { chooseAuth } from '../credentials.ts';
import { checkToken } from '../session.ts';
import { type Finding, findingsOf } from './finding.ts';

const TIMEOUT_MS = 5_000;

/** Credentials; with `online`, also whether the homeserver takes them, and the rooms. */
export async function checkMatrix(
  config: RelayConfig | null,
  paths: AppPaths,
  options: { readonly online: boolean },
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
    return options.online ? [stored, ...(await askHomeserver(credentials, config))] : [stored];
  } catch (error) {
    return [finding('error', errorText(error), 'run `mmrelay auth login`')];
  }
}

async function askHomeserver(credentials: Credentials, config: RelayConfig): Promise<Finding[]> {
  const finding = findingsOf('matrix');
  try {
    const who = await checkToken(credentials, TIMEOUT_MS);
    const token = finding('ok', `the homeserver accepts the token (device ${who.deviceId ?? 'without an id'})`);
    return [token, ...(await checkRooms(credentials, config))];
  } catch (error) {
    const refused = error instanceof RelayError && error.code === 'MATRIX_LOGGED_OUT';
    if (refused) return [finding('error', 'the homeserver refuses the token', 'run `mmrelay auth login`')];
    return [finding('warning', errorText(error), 'messages wait in the outbox until it answers')];
  }
}

async function checkRooms(credentials: Credentials, config: RelayConfig): Promise<Finding[]> {
  const finding = findingsOf('matrix');
  const http = createHttp(systemClock);
  const get = (path: string): Promise<Readonly<Record<string, unknown>>> =>
    http({
      method: 'GET',
      url: `${credentials.homeserver}/_matrix/client/v3${path}`,
      token: credentials.accessToken,
      timeoutMs: TIMEOUT_MS,
    });
  const joined = (await get('/joined_rooms')).joined_rooms;
  const member = new Set(Array.isArray(joined) ? joined.map(String) : []);
  const findings: Finding[] = [];
  for (const { id } of config.rooms) {
    try {
      const alias = id.startsWith('#') ? await get(`/directory/room/${encodeURIComponent(id)}`) : null;
      const roomId = alias === null ? id : String(alias.room_id);
      if (member.has(roomId)) findings.push(finding('ok', `${id}: joined`));
      else findings.push(finding('warning', `${id}: not joined`, 'invite the account; the relay joins at its start'));
    } catch (error) {
      findings.push(finding('warning', `${id}: ${errorText(error)}`, 'check the id or alias'));
    }
  }
  return findings;
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
  if (connection.kind !== 'tcp') return finding('info', `${name}: ${connection.kind}, not tried`);
  const where = `${name}: ${connection.host}:${connection.port}`;
  if (!online) return finding('info', `${where}, not tried`);
  const failure = await tcpFailure(connection);
  if (failure === null) return finding('ok', `${where} answers`);
  return finding('warning', `${where}: ${failure}`, 'check power, address and WiFi of the radio');
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
