import { isIP } from 'node:net';
import { nearest } from '../util/nearest.ts';
import { PORTS, portNumber } from '../util/portnums.ts';
import { parseFormat } from '../util/python-format.ts';
import type { Draft } from './draft.ts';
import { isPlaceholder } from './placeholders.ts';
import { type Path, pathText, valueText } from './problems.ts';
import { durationMs } from './schema/key.ts';
import type { ParsedRoom } from './schema/matrix.ts';
import type { ParsedRadio } from './schema/meshtastic.ts';

/** A part of the configuration and where it stands. */
export interface At<T> {
  readonly value: T;
  readonly path: Path;
}

/** What the schema cannot say: keys that need each other, names that must agree, values nobody filled in. */
export function checkRadios(draft: Draft, radios: readonly At<ParsedRadio>[]): void {
  const names = new Map<string, Path>();
  const addresses = new Map<string, Path>();
  for (const { value: radio, path } of radios) {
    const first = names.get(radio.name);
    if (first !== undefined) {
      draft.report({
        severity: 'error',
        path: [...path, 'name'],
        message: `is the name of ${pathText(first)} as well`,
        remedy: 'give every radio its own name',
      });
    }
    names.set(radio.name, path);
    const address = addressOf(radio);
    const sharer = address === null ? undefined : addresses.get(address);
    if (sharer !== undefined) {
      draft.report({
        severity: 'warning',
        path,
        message: `is at the same address as ${pathText(sharer)}`,
        remedy: 'name each radio once: it serves one client at a time; rooms of several channels may share it',
        hideValue: true,
      });
    }
    if (address !== null) addresses.set(address, path);
    checkConnection(draft, radio, path);
    checkDelay(draft, radio, path);
    checkPrefix(draft, [...path, 'prefix_format'], MESH_VARIABLES);
    checkPorts(draft, radio, path);
    if (isPlaceholder(radio.meshnet_name)) {
      reportPlaceholder(draft, 'warning', [...path, 'meshnet_name'], 'choose the name of your mesh');
    }
  }
}

/** What two entries must not have in common; null where that cannot be told. */
function addressOf(radio: ParsedRadio): string | null {
  switch (radio.connection_type) {
    case 'tcp':
      return radio.host === undefined ? null : `${radio.host.toLowerCase()} ${radio.port}`;
    case 'serial':
      return radio.serial_port ?? null;
    case 'ble':
      return radio.ble_address?.toLowerCase() ?? null;
    default:
      return null;
  }
}

const CONNECTION_KEYS = {
  tcp: { key: 'host', remedy: 'add the address of the radio, such as 192.168.1.20' },
  serial: { key: 'serial_port', remedy: 'add the device, such as /dev/ttyUSB0 (`mmrelay radios` lists them)' },
  ble: { key: 'ble_address', remedy: 'add the address or name of the radio (`mmrelay radios` lists them)' },
} as const;

function checkConnection(draft: Draft, radio: ParsedRadio, path: Path): void {
  const type = radio.connection_type;
  if (type === 'auto') return;
  if (type === 'mqtt') {
    if (radio.mqtt.host === undefined) reportMissing(draft, [...path, 'mqtt', 'host'], 'add the address of the broker');
    if (radio.mqtt.channels.length === 0) {
      reportMissing(draft, [...path, 'mqtt', 'channels'], 'list the channels, at least {name: LongFast}');
    }
    return;
  }
  const { key, remedy } = CONNECTION_KEYS[type];
  if (radio[key] === undefined) reportMissing(draft, [...path, key], remedy);
  if (type === 'tcp' && radio.host !== undefined) checkHost(draft, radio.host, [...path, 'host']);
  if (type === 'serial' && radio.serial_port !== undefined && !/^(\/dev\/.|COM[1-9]\d*$)/i.test(radio.serial_port)) {
    draft.report({
      severity: 'error',
      path: [...path, 'serial_port'],
      message: 'is not the name of a serial device',
      expected: '/dev/ttyUSB0, /dev/serial/by-id/.. or COM3',
    });
  }
}

const HOST_NAME = /^(?=.{1,253}$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*\.?$/;

function checkHost(draft: Draft, host: string, path: Path): void {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  if (isIP(bare) !== 0 || HOST_NAME.test(host)) return;
  const withPort = /^(?:[a-z]+:\/\/)?([^/:]+):(\d+)\/?$/i.exec(host);
  draft.report({
    severity: 'error',
    path,
    message: 'is not a host name or address',
    expected: 'a name such as meshtastic.local, or an address such as 192.168.1.20',
    remedy: withPort === null ? null : `write host: ${withPort[1] ?? ''} and port: ${withPort[2] ?? ''}`,
  });
}

/** A name that no port has matches nothing: somebody may believe that a port is dropped which is not. */
function checkPorts(draft: Draft, radio: ParsedRadio, parent: Path): void {
  for (const key of ['chat_portnums', 'disabled_portnums'] as const) {
    const path = [...parent, 'packet_routing', key];
    for (const name of [radio.packet_routing[key]].flat()) {
      if (typeof name === 'number' || portNumber(name.trim()) !== null || /^UNKNOWN_\d+$/.test(name.trim())) continue;
      draft.report({
        severity: 'warning',
        path,
        message: `names ${valueText(name)}, which is no port, and has no effect`,
        nearest: nearest(name, PORTS),
        remedy: 'write names of portnums.proto, such as TELEMETRY_APP, or numbers',
        hideValue: true,
      });
    }
  }
}

export const MIN_MESSAGE_DELAY_MS = 2000;

function checkDelay(draft: Draft, radio: ParsedRadio, parent: Path): void {
  const path = [...parent, 'message_delay'];
  if (radio.message_delay === undefined || durationMs(radio.message_delay) >= MIN_MESSAGE_DELAY_MS) return;
  const fromEnv = draft.variable(path) !== null;
  draft.report({
    severity: fromEnv ? 'error' : 'warning',
    path,
    message: fromEnv ? 'is too short' : 'is too short; 2 seconds are used',
    expected: draft.expected(path),
    remedy: 'the firmware drops texts that follow each other faster than every 2 seconds',
  });
}

/** Variables of Matrix -> mesh prefixes. */
export const MESH_VARIABLES = ['display', 'user', 'username', 'server'] as const;
/** Variables of mesh -> Matrix prefixes. */
export const MATRIX_VARIABLES = ['long', 'short', 'mesh'] as const;
const CUT = new Set(['display', 'long', 'mesh']);

/** Reports a template that cannot be used; the default is used then. */
function checkPrefix(draft: Draft, path: Path, variables: readonly string[]): void {
  const value = draft.get(path);
  if (typeof value !== 'string') return;
  const wrong = prefixError(value, variables);
  if (wrong === null) return;
  const expected = variables
    .map((name) => (CUT.has(name) ? `{${name}} {${name}1}..{${name}20}` : `{${name}}`))
    .join(' ');
  draft.report({ severity: 'warning', path, message: `${wrong}; the default is used`, expected });
}

/** What is wrong with a prefix template; null when nothing is. */
export function prefixError(template: string, variables: readonly string[]): string | null {
  const parsed = parseFormat(template);
  if (!parsed.ok) return `has ${parsed.error}`;
  for (const part of parsed.parts) {
    if (part.kind !== 'field' || variables.includes(part.name)) continue;
    const [, base = '', digits = ''] = /^([a-z]+)([1-9]\d?)$/.exec(part.name) ?? [];
    if (!variables.includes(base) || !CUT.has(base) || Number(digits) > 20)
      return `has the unknown variable {${part.name}}`;
  }
  return null;
}

/** Rooms: names of radios, doubles, placeholders. */
export function checkRooms(draft: Draft, rooms: readonly At<ParsedRoom>[], radioNames: readonly string[]): void {
  const seen = new Map<string, Path>();
  const isAnyFilledIn = rooms.some(({ value }) => !isPlaceholder(value.id));
  for (const { value: room, path } of rooms) {
    const idPath = [...path, 'id'];
    const first = seen.get(room.id);
    if (first === undefined) seen.set(room.id, path);
    else
      draft.report({
        severity: 'warning',
        path: idPath,
        message: `is the room of ${pathText(first)} as well: it shows both channels, and what is said in it goes to the first`,
      });
    if (isPlaceholder(room.id)) {
      // Beside a real one it is a left-over of the sample, which the Python relay complained of and went on.
      const remedy = `put in the id or alias of your room${isAnyFilledIn ? ', or remove it: it is left out' : ''}`;
      reportPlaceholder(draft, isAnyFilledIn ? 'warning' : 'error', idPath, remedy);
    }
    if (room.radio !== undefined && !radioNames.includes(room.radio)) {
      draft.report({
        severity: 'error',
        path: [...path, 'radio'],
        message: 'is not the name of a radio',
        expected: radioNames.join(', '),
        nearest: nearest(room.radio, radioNames),
      });
    }
    checkPrefix(draft, [...path, 'matrix_prefix_format'], MATRIX_VARIABLES);
    checkPrefix(draft, [...path, 'meshtastic_prefix_format'], MESH_VARIABLES);
  }
}

/** The templates of the Matrix side. */
export function checkMatrix(draft: Draft): void {
  checkPrefix(draft, ['matrix', 'prefix_format'], MATRIX_VARIABLES);
}

/** Account data that was never filled in counts as absent: beside stored credentials nobody needs it. */
export function dropUnfilledAccount(draft: Draft): void {
  for (const key of ['homeserver', 'bot_user_id', 'password', 'access_token']) {
    const path = ['matrix', key];
    const value = draft.get(path);
    if (typeof value !== 'string' || !(value.trim() === '' || isPlaceholder(value))) continue;
    if (value.trim() !== '')
      reportPlaceholder(
        draft,
        'warning',
        path,
        'put in your own, or run `mmrelay auth login` and remove it: it is left out',
      );
    draft.remove(path);
  }
}

function reportPlaceholder(draft: Draft, severity: 'error' | 'warning', path: Path, remedy: string): void {
  draft.report({ severity, path, message: 'is still the value of the sample file', remedy });
}

function reportMissing(draft: Draft, path: Path, remedy: string): void {
  draft.report({
    severity: 'error',
    path,
    message: 'is missing',
    expected: draft.expected(path),
    remedy,
    hideValue: true,
  });
}
