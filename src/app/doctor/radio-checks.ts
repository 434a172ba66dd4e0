import { accessSync, constants, existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { RadioConfig, RadioConnection, RelayConfig, RoomConfig } from '../../config/types.ts';
import type { RadioInfo } from '../../relay/ports.ts';
import type { Clock } from '../../util/clock.ts';
import { silentLogger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';
import { bluetoothHub, connectFor } from '../radios/build-radios.ts';
import { visitRadio } from '../radios/find-radios.ts';
import { roomsWithoutChannel } from '../radios/mapping-warnings.ts';
import { type Finding, findingsOf } from './finding.ts';

const TIMEOUT_MS = 5_000;
const CHECK_PLACE = 'check power, address and WiFi of the radio';
const REMEDY: Readonly<Record<Exclude<RadioConnection['kind'], 'mqtt'>, string>> = {
  tcp: CHECK_PLACE,
  serial: 'check the cable; `mmrelay radios` lists what is plugged in',
  ble: 'check power and distance of the radio; `mmrelay radios` lists those in reach',
  auto: 'plug one in, or name its connection',
};

export interface RadioCheckOptions {
  /**
   * nothing: the radio is another's. reach: whether somebody listens. ask: connect as a relay does, and hear who it is;
   * a radio serves one client at a time, so that over the network this ends the connection of another one.
   */
  readonly contact: 'nothing' | 'reach' | 'ask';
  readonly clock: Clock;
}

/** The way to each radio, and with `ask` whether it is set up for its rooms. */
export async function checkRadios(config: RelayConfig | null, options: RadioCheckOptions): Promise<readonly Finding[]> {
  if (config === null) return [findingsOf('radio')('info', 'not checked: the configuration is not valid')];
  const checks = config.radios.map((radio) => {
    const { connection } = radio;
    if (options.contact === 'ask' && connection.kind !== 'mqtt')
      return askRadio(radio, connection, { rooms: config.rooms, clock: options.clock });
    return lookAtRadio(radio, options.contact !== 'nothing');
  });
  return (await Promise.all(checks)).flat();
}

async function askRadio(
  { name }: RadioConfig,
  connection: Exclude<RadioConnection, { kind: 'mqtt' }>,
  { rooms, clock }: { readonly rooms: readonly RoomConfig[]; readonly clock: Clock },
): Promise<readonly Finding[]> {
  const finding = findingsOf('radio');
  if (connection.kind === 'serial') {
    const port = checkSerial(name, connection.path);
    if (port.status !== 'ok') return [port];
  }
  const deps = { clock, random: Math.random, logger: silentLogger };
  const hub = bluetoothHub(silentLogger);
  const visit = await visitRadio(connectFor(connection, hub, deps), {
    ...deps,
    hub,
    signal: new AbortController().signal,
  });
  const where = `${name}: ${placeOf(connection)}`;
  if (visit.info === null)
    return [finding('warning', `${where}: ${visit.reason ?? 'no answer'}`, REMEDY[connection.kind])];
  const { hwModel, firmwareVersion, lora } = visit.info;
  const facts = [hwModel, firmwareVersion === null ? null : `firmware ${firmwareVersion}`, lora?.region];
  const said = facts.filter((fact) => fact !== null && fact !== undefined && fact !== '').join(', ');
  return [
    finding('ok', `${where} is ${visit.name ?? 'a radio without a name'} (${said})`),
    ...setupFindings(name, visit.info, rooms),
  ];
}

function placeOf(connection: Exclude<RadioConnection, { kind: 'mqtt' }>): string {
  switch (connection.kind) {
    case 'tcp':
      return `${connection.host}:${connection.port}`;
    case 'serial':
      return connection.path;
    case 'ble':
      return `Bluetooth ${connection.address}`;
    case 'auto':
      return 'the radio that was found';
  }
}

function setupFindings(radio: string, info: RadioInfo, rooms: readonly RoomConfig[]): readonly Finding[] {
  const finding = findingsOf('radio');
  const routes = rooms.map(({ id, radio: of, channel }) => ({ room: id, radio: of, channel }));
  const unset =
    info.lora?.region === 'UNSET'
      ? [
          finding(
            'warning',
            `${radio}: its region is not set: it neither sends nor hears`,
            'set it in the Meshtastic app',
          ),
        ]
      : [];
  const silent = roomsWithoutChannel({ name: radio, info }, routes).map(({ room, channel }) =>
    finding(
      'warning',
      `${radio}: channel ${channel} of ${room} is not in use`,
      'add the channel in the Meshtastic app',
    ),
  );
  return [...unset, ...silent];
}

async function lookAtRadio({ name, connection }: RadioConfig, online: boolean): Promise<readonly Finding[]> {
  const finding = findingsOf('radio');
  if (connection.kind === 'serial') return [checkSerial(name, connection.path)];
  if (connection.kind !== 'tcp' && connection.kind !== 'mqtt')
    return [finding('info', `${name}: ${connection.kind}, not tried`)];
  const isBroker = connection.kind === 'mqtt';
  const { host, port } = isBroker ? connection.mqtt : connection;
  const where = `${name}: ${isBroker ? 'MQTT broker ' : ''}${host}:${port}`;
  if (!online) return [finding('info', `${where}, not tried`)];
  const failure = await tcpFailure({ host, port });
  if (failure === null) return [finding('ok', `${where} answers`)];
  return [finding('warning', `${where}: ${failure}`, isBroker ? 'check the address of the broker' : CHECK_PLACE)];
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
