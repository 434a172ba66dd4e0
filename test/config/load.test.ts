import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfigFile } from '../../src/config/load.ts';
import { renderProblems } from '../../src/config/problems.ts';
import { config, MINIMAL, parse, problemAt, RADIO, ROOM, ROOMS } from './helpers.ts';

describe('a usable file', () => {
  test('is completed with defaults, and frozen', () => {
    const loaded = parse(MINIMAL);
    expect(loaded.problems).toEqual([]);
    expect(loaded.config).toMatchObject({
      radios: [
        {
          name: 'default',
          connection: { kind: 'tcp', host: 'radio.test', port: 4403 },
          meshnetName: '',
          messageDelayMs: null,
          reactions: true,
          replies: true,
          prefixFormat: '{display5}[M]: ',
        },
      ],
      rooms: [{ id: ROOM, channel: 0, radio: 'default', matrixPrefixFormat: '[{long}/{mesh}]: ' }],
      relay: { longMessages: 'split', maxParts: 4, deliveryStatus: 'failures', maxAgeMs: 43_200_000 },
      directMessages: { mode: 'off' },
      virtualNode: null,
      matrix: { e2ee: { enabled: 'auto', trust: 'all' } },
      health: { listen: null, readyRequires: 'auto', readyHeartbeatMs: 60_000 },
      database: { wal: true, busyTimeoutMs: 5000, messagesToKeep: 500 },
    });
    expect(() => Object.assign(loaded.config?.relay ?? {}, { maxParts: 9 })).toThrow(TypeError);
  });

  test('W32: a missing meshnet_name has a default', () => expect(config(MINIMAL).radios[0]?.meshnetName).toBe(''));

  test('sections without keys count as absent', () => {
    expect(parse(`${MINIMAL}matrix:\nlogging:\ndatabase:\nplugins:\n`)).toMatchObject({ problems: [] });
  });

  test('several radios, rooms with a radio', () => {
    const two = config(
      `matrix_rooms:\n  - {id: "!a:x", meshtastic_channel: 1, radio: hill}\n  - {id: "!b:x", meshtastic_channel: 2}\n` +
        'meshtastic:\n  - {name: roof, connection_type: serial, serial_port: /dev/ttyUSB0}\n' +
        '  - {name: hill, connection_type: ble, ble_address: "Base Station"}\n',
    );
    expect(two.radios.map(({ name, connection }) => [name, connection.kind])).toEqual([
      ['roof', 'serial'],
      ['hill', 'ble'],
    ]);
    expect(two.rooms.map(({ radio }) => radio)).toEqual(['hill', 'roof']);
  });

  test('rooms as a mapping', () => {
    const rooms = config(`matrix_rooms:\n  one: {id: "!a:x", meshtastic_channel: 3}\n${RADIO}`).rooms;
    expect(rooms).toMatchObject([{ id: '!a:x', channel: 3 }]);
  });

  test('durations and addresses get units', () => {
    const made = config(`${MINIMAL}  message_delay: 3s\nrelay: {max_age: 90m}\nhealth: {listen: "[::1]:9464"}\n`);
    expect(made.radios[0]?.messageDelayMs).toBe(3000);
    expect(made.relay.maxAgeMs).toBe(5_400_000);
    expect(made.health.listen).toEqual({ host: '::1', port: 9464 });
  });

  test('per-room overrides, and none by an empty text', () => {
    const text = MINIMAL.replace(
      'channel: 0',
      'channel: 0\n    meshtastic_prefix_format: ""\n    matrix_prefix_format: "{short}: "',
    );
    expect(config(text).rooms[0]).toMatchObject({ meshPrefixFormat: '', matrixPrefixFormat: '{short}: ' });
  });

  test('mqtt', () => {
    const text = `${ROOMS}meshtastic:\n  connection_type: mqtt\n  mqtt: {host: b.test, tls: true, channels: [{name: LongFast}]}\n`;
    expect(config(text).radios[0]?.connection).toMatchObject({
      kind: 'mqtt',
      mqtt: { host: 'b.test', port: 8883, rootTopic: 'msh', channels: [{ name: 'LongFast', psk: 'AQ==' }] },
    });
  });

  test('plugins keep their own keys', () => {
    const { plugins } = config(
      `${MINIMAL}plugins:\n  weather: {active: true, units: imperial, channels: 2, schedule: {hours: 1}}\n`,
    );
    expect(plugins.core).toMatchObject([
      { name: 'weather', active: true, channels: [2], requireBotMention: true, schedule: { everyMs: 3_600_000 } },
    ]);
    expect(plugins.core[0]?.settings).toMatchObject({ units: 'imperial' });
  });
});

describe('problems', () => {
  test('all at once, each with its place', () => {
    const loaded = parse(
      'matrix_rooms:\n  - id: room\n    meshtastic_channel: 9\nmeshtastic:\n  connection_type: tpc\nrelay:\n  max_parts: many\n',
    );
    expect(loaded.config).toBeNull();
    const places = loaded.problems.map(({ path, line, column, severity }) => [path, line, column, severity]);
    expect(places).toEqual([
      ['matrix_rooms[0].id', 2, 5, 'error'],
      ['matrix_rooms[0].meshtastic_channel', 3, 5, 'error'],
      ['meshtastic.connection_type', 5, 3, 'error'],
      ['relay.max_parts', 7, 3, 'error'],
    ]);
    expect(problemAt(loaded, 'matrix_rooms[0].meshtastic_channel')).toMatchObject({
      value: '9',
      expected: expect.stringContaining('0 to 7'),
    });
  });

  test('unknown keys warn with the nearest known one', () => {
    const loaded = parse(`${MINIMAL}  meshnet_nam: x\nrelai: {}\n`);
    expect(loaded.config).not.toBeNull();
    expect(problemAt(loaded, 'meshtastic.meshnet_nam')).toMatchObject({
      severity: 'warning',
      line: 7,
      nearest: 'meshnet_name',
    });
    expect(problemAt(loaded, 'relai').nearest).toBe('relay');
  });

  test('duplicate keys name both lines', () => {
    const loaded = parse(`${MINIMAL}  host: other.test\n`);
    expect(loaded.config).toBeNull();
    expect(loaded.problems).toContainEqual(
      expect.objectContaining({ line: 7, column: 3, message: expect.stringMatching(/line 6 and on line 7/) }),
    );
  });

  test('a room with two channels, as the Python relay took it, and the same entry again', () => {
    const entries = [0, 1, 1].map((channel) => `  - {id: "!a:x", meshtastic_channel: ${channel}}\n`).join('');
    const loaded = parse(`matrix_rooms:\n${entries}${RADIO}`);
    expect(problemAt(loaded, 'matrix_rooms[1].id')).toMatchObject({ severity: 'warning', line: 3 });
    expect(loaded.config?.rooms.map(({ id, channel }) => [id, channel])).toEqual([
      ['!a:x', 0],
      ['!a:x', 1],
    ]);
  });

  test.each([
    ['', 'host'],
    ['  host: a b\n', 'host'],
  ])('tcp needs a host', (line, key) => {
    const loaded = parse(`${ROOMS}meshtastic:\n  connection_type: tcp\n${line}`);
    expect(problemAt(loaded, `meshtastic.${key}`).severity).toBe('error');
  });

  test('a port in the host', () => {
    const loaded = parse(`${ROOMS}meshtastic:\n  connection_type: tcp\n  host: 10.0.0.1:4403\n`);
    expect(problemAt(loaded, 'meshtastic.host').remedy).toBe('write host: 10.0.0.1 and port: 4403');
  });

  test('one radio under two names', () => {
    const entry = (name: string): string => `  - {name: ${name}, connection_type: tcp, host: Radio.lan}\n`;
    const loaded = parse(`${ROOMS}meshtastic:\n${entry('a')}${entry('b')}`);
    expect(problemAt(loaded, 'meshtastic[1]')).toMatchObject({
      severity: 'warning',
      message: 'is at the same address as meshtastic[0]',
    });
  });

  test('a room of a radio that is none', () => {
    const loaded = parse(MINIMAL.replace('channel: 0', 'channel: 0\n    radio: defalt'));
    expect(problemAt(loaded, 'matrix_rooms[0].radio')).toMatchObject({ nearest: 'default', severity: 'error' });
  });

  test('message_delay under 2 s is raised', () => {
    const loaded = parse(`${MINIMAL}  message_delay: 0.5\n`);
    expect(loaded.config?.radios[0]?.messageDelayMs).toBe(2000);
    expect(problemAt(loaded, 'meshtastic.message_delay').severity).toBe('warning');
  });

  test('lenient keys fall back to their default, as in the Python relay', () => {
    const loaded = parse(`${MINIMAL}  port: abc\n  packet_routing: 7\nlogging: {level: loud}\n`);
    expect(loaded.config?.radios[0]).toMatchObject({ connection: { port: 4403 }, encryptedAction: 'plugin_only' });
    expect(loaded.config?.logging.level).toBe('info');
    expect(problemAt(loaded, 'meshtastic.port')).toMatchObject({ severity: 'warning', line: 7 });
  });

  test('bad prefixes fall back to the default', () => {
    const loaded = parse(`${MINIMAL}  prefix_format: "{bad}: "\nmatrix: {prefix_format: "{long!r}"}\n`);
    expect(loaded.config?.radios[0]?.prefixFormat).toBe('{display5}[M]: ');
    expect(loaded.config?.matrix.prefixFormat).toBe('[{long}/{mesh}]: ');
    expect(problemAt(loaded, 'meshtastic.prefix_format').message).toContain('{bad}');
  });

  test('C10: values of the sample', () => {
    const loaded = parse(
      MINIMAL.replace(ROOM, '#someroomalias:example.matrix.org').replace(
        'host: radio',
        'meshnet_name: Your Meshnet Name\n  host: radio',
      ),
    );
    expect(problemAt(loaded, 'matrix_rooms[0].id')).toMatchObject({ severity: 'error' });
    expect(problemAt(loaded, 'meshtastic.meshnet_name')).toMatchObject({ severity: 'warning' });
  });

  test('C10: beside a real room those of the sample are left out, and an account nobody filled in counts as absent', () => {
    const loaded = parse(
      `matrix: {homeserver: "https://example.matrix.org", password: ""}\n${MINIMAL.replace('matrix_rooms:\n', 'matrix_rooms:\n  - {id: "!someroomid:example.matrix.org", meshtastic_channel: 2}\n')}`,
    );
    expect(problemAt(loaded, 'matrix_rooms[0].id')).toMatchObject({ severity: 'warning' });
    expect(problemAt(loaded, 'matrix.homeserver')).toMatchObject({ severity: 'warning' });
    expect(loaded.config?.rooms.map(({ id }) => id)).toEqual([ROOM]);
    expect(loaded.config?.matrix).toMatchObject({ homeserver: null, password: null });
  });

  test('secrets are never shown', () => {
    const loaded = parse(
      `matrix:\n  password: [hunter2]\n  acces_token: syt_abcdefgh\n  access_token: {x: hunter2}\n${MINIMAL}  mqtt: {password: [hunter2]}\n`,
    );
    expect(loaded.problems.filter(({ severity }) => severity === 'error')).toHaveLength(3);
    expect(renderProblems(loaded.problems).join('\n')).not.toMatch(/hunter2|syt_/);
    expect(renderProblems(parse('matrix:\n  password: *hunter2\n').problems).join('\n')).not.toContain('hunter2');
  });
});

describe('files that are no configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-config-'));
  const write = (name: string, content: string | Uint8Array): string => {
    const path = join(folder, name);
    writeFileSync(path, content);
    return path;
  };

  test.each<readonly [string, string, RegExp]>([
    ['a list', write('list.yaml', '- a\n- b\n'), /is a list/],
    ['a word', write('word.yaml', 'hello\n'), /single value/],
    ['bytes', write('bytes.yaml', new Uint8Array([1, 0xff, 0xfe, 0])), /not a text file/],
    ['zeros', write('zero.yaml', new Uint8Array(10)), /not a text file/],
    ['a directory', folder, /is a directory/],
    ['nothing', join(folder, 'absent.yaml'), /there is no such file/],
    ['tabs', write('tab.yaml', 'matrix:\n\tpassword: x\n'), /not valid YAML/],
    ['two documents', write('two.yaml', 'a: 1\n---\nb: 2\n'), /more than one document/],
  ])('%s', (_name, path, message) => {
    const loaded = loadConfigFile(path, {});
    expect(loaded.config).toBeNull();
    expect(loaded.problems[0]).toMatchObject({
      severity: 'error',
      file: path,
      message: expect.stringMatching(message),
    });
  });

  test('an empty file says what is missing', () => {
    const loaded = loadConfigFile(write('empty.yaml', ''), {});
    expect(loaded.problems.map(({ path, message }) => `${path} ${message}`)).toEqual([
      ' is empty',
      'matrix_rooms is missing',
      'meshtastic is missing',
    ]);
  });

  test('UTF-8 with a byte order mark', () => {
    expect(loadConfigFile(write('bom.yaml', `\ufeff${MINIMAL}`), {}).problems).toEqual([]);
  });
});
