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
  readonly meshnet: string;
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
export function configOf(answers: Answers): string {
  const lines = sampleConfig()
    .split('\n')
    .flatMap((line) => {
      if (line === '  connection_type: tcp') return radioLines(answers.radio);
      if (/^ {2}host: /.test(line)) return [];
      if (/^ {2}meshnet_name: /.test(line)) return [`  meshnet_name: ${yamlValue(answers.meshnet)}`];
      if (/^ {2}- id: /.test(line)) return roomLines(answers.rooms);
      return /^ {4}meshtastic_channel: /.test(line) ? [] : [line];
    });
  const text = lines.join('\n');
  const { problems } = parseConfig({ text, file: null, env: {} });
  const error = problems.find(({ severity }) => severity === 'error');
  if (error !== undefined)
    throw new RelayError('CONFIG_SETUP', `${error.path}: ${error.message} (${error.value ?? ''})`);
  return text;
}

function radioLines(radio: RadioAnswer): string[] {
  const type = `  connection_type: ${radio.kind}`;
  switch (radio.kind) {
    case 'auto':
      return [type];
    case 'serial':
      return [type, `  serial_port: ${yamlValue(radio.target)}`];
    case 'ble':
      return [type, `  ble_address: ${yamlValue(radio.target)}`];
    case 'tcp': {
      const port = radio.port === DEFAULT_PORT ? [] : [`  port: ${radio.port}`];
      return [type, `  host: ${yamlValue(radio.host)}`, ...port];
    }
  }
}

function roomLines(rooms: readonly RoomAnswer[]): string[] {
  return rooms.flatMap(({ id, channel }) => [`  - id: ${yamlValue(id)}`, `    meshtastic_channel: ${channel}`]);
}
