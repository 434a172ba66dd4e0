import { parseConfig } from '../../config/load.ts';
import { sampleConfig, yamlValue } from '../../config/sample.ts';
import type { BleHub } from '../../radio/ble/central.ts';
import type { RadioConnect } from '../../radio/transport/factory.ts';
import { RelayError } from '../../util/relay-error.ts';

export type RadioAnswer =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'serial'; readonly target: string }
  | { readonly kind: 'ble'; readonly target: string }
  | { readonly kind: 'auto' };

export interface RoomAnswer {
  readonly id: string;
  readonly channel: number;
}

export interface Answers {
  readonly radio: RadioAnswer;
  /** null: named by the radio, while the relay runs. */
  readonly meshnet: string | null;
  readonly rooms: readonly RoomAnswer[];
}

const DEFAULT_PORT = 4403;

/** `auto`, `host[:port]`, `/dev/...`, `COM3`, `tcp:..`, `serial:..`, `ble:..`; null for anything else. */
export function parseRadio(text: string): RadioAnswer | null {
  const given = text.trim();
  if (given === 'auto') return { kind: 'auto' };
  const [, kind, rest = ''] = /^(tcp|serial|ble):(.+)$/.exec(given) ?? [];
  if (kind === 'serial' || kind === 'ble') return { kind, target: rest };
  const target = kind === 'tcp' ? rest : given;
  if (/^(?:\/dev\/.|COM\d+$)/i.test(target)) return { kind: 'serial', target };
  const [, host, port] = /^([A-Za-z0-9.-]+|\[[0-9a-f:]+\])(?::(\d{1,5}))?$/i.exec(target) ?? [];
  return host === undefined ? null : { kind: 'tcp', host, port: port === undefined ? DEFAULT_PORT : Number(port) };
}

/** `#alias:server` or `!id`, with `=2` for another channel than 0; null for anything else. */
export function parseRoom(text: string): RoomAnswer | null {
  const [, id, channel] = /^([#!][^\s=]+)(?:=([0-7]))?$/.exec(text.trim()) ?? [];
  return id === undefined ? null : { id, channel: Number(channel ?? 0) };
}

/** `Name`, with `=2` for another channel than 0; null for anything else. */
export function parseNewRoom(text: string): { readonly name: string; readonly channel: number } | null {
  const [, name = '', channel] = /^(.*?)(?:=([0-7]))?$/.exec(text.trim()) ?? [];
  return name === '' ? null : { name, channel: Number(channel ?? 0) };
}

/** How to connect to the radio of an answer; null for `auto`, which is not known before it is found. */
export function connectOfAnswer(radio: RadioAnswer, hub: BleHub): RadioConnect | null {
  switch (radio.kind) {
    case 'tcp':
      return { type: 'tcp', host: radio.host, port: radio.port };
    case 'serial':
      return { type: 'serial', path: radio.target };
    case 'ble':
      return { type: 'ble', target: radio.target, hub };
    case 'auto':
      return null;
  }
}

/** The commented sample with the answers filled in. @throws RelayError CONFIG_SETUP naming what does not go together */
export function configOf({ radio, meshnet, rooms: [first, ...others] }: Answers): string {
  const values: Values = {
    ...(first === undefined ? {} : { '- id': first.id, '  meshtastic_channel': first.channel }),
    ...radioValues(radio),
    meshnet_name: meshnet,
  };
  const lines = sampleConfig()
    .split('\n')
    .map((line) => filledLine(line, values));
  const text = withRooms(lines, others).join('\n');
  const { problems } = parseConfig({ text, file: null, env: {} });
  const error = problems.find(({ severity }) => severity === 'error');
  if (error !== undefined)
    throw new RelayError('CONFIG_SETUP', `${error.path}: ${error.message} (${error.value ?? ''})`);
  return text;
}

/** By the key as it stands in the sample; null comments it out. */
type Values = Readonly<Record<string, string | number | null>>;

function filledLine(line: string, values: Values): string {
  const [, key = '', shown = ''] = /^ {2}(?:# )?((?: {2}|- )?[a-z_]+): (.*)$/.exec(line) ?? [];
  const value = Object.hasOwn(values, key) ? values[key] : undefined;
  if (value === undefined) return line;
  return value === null ? `  # ${key}: ${shown}` : `  ${key}: ${yamlValue(value)}`;
}

function radioValues(radio: RadioAnswer): Values {
  const type = { connection_type: radio.kind };
  switch (radio.kind) {
    case 'auto':
      return { ...type, host: null };
    case 'serial':
      return { ...type, host: null, serial_port: radio.target };
    case 'ble':
      return { ...type, host: null, ble_address: radio.target };
    case 'tcp':
      return { ...type, host: radio.host, ...(radio.port === DEFAULT_PORT ? {} : { port: radio.port }) };
  }
}

/** The first room stands where the sample explains its keys; the others follow it. */
function withRooms(lines: readonly string[], rooms: readonly RoomAnswer[]): readonly string[] {
  const end = lines.indexOf('', lines.indexOf('matrix_rooms:'));
  const added = rooms.flatMap(({ id, channel }) => [`  - id: ${yamlValue(id)}`, `    meshtastic_channel: ${channel}`]);
  return lines.toSpliced(end, 0, ...added);
}
