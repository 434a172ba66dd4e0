import { describe, expect, test } from 'vitest';
import { config, MINIMAL, parse, ROOMS } from './helpers.ts';

describe('old spellings work, with a note that names the new one', () => {
  test.each<readonly [string, string, string, object]>([
    ['user_id', `matrix: {user_id: "@b:hs"}\n${MINIMAL}`, 'matrix.bot_user_id', { matrix: { botUserId: '@b:hs' } }],
    [
      'encryption',
      `matrix: {encryption: {enabled: true, store_path: /s}}\n${MINIMAL}`,
      'matrix.e2ee.enabled',
      { matrix: { e2ee: { enabled: 'on', storePath: '/s' } } },
    ],
    [
      'credentials_path',
      `credentials_path: /c.json\n${MINIMAL}`,
      'matrix.credentials_path',
      { matrix: { credentialsPath: '/c.json' } },
    ],
    ['network', MINIMAL.replace('tcp', 'network'), 'write tcp', { radios: [{ connection: { kind: 'tcp' } }] }],
    ['retry_limit', `${MINIMAL}  retry_limit: 3\n`, 'meshtastic.retries', {}],
    [
      'plugin_response_delay',
      `${MINIMAL}  plugin_response_delay: 4\n`,
      'meshtastic.message_delay',
      { radios: [{ messageDelayMs: 4000 }] },
    ],
    [
      'relay_reactions',
      `${MINIMAL}  relay_reactions: true\n`,
      'message_interactions.reactions',
      { radios: [{ reactions: true, replies: false }] },
    ],
    [
      'db',
      `${MINIMAL}db: {path: /d, msg_map: {msgs_to_keep: 7}}\n`,
      'database.path',
      { database: { path: '/d', messagesToKeep: 7 } },
    ],
  ])('%s', (_name, text, newKey, expected) => {
    const loaded = parse(text);
    expect(loaded.config).toMatchObject(expected);
    expect(loaded.problems.every(({ severity }) => severity === 'note')).toBe(true);
    expect(loaded.problems.map(({ message, remedy }) => `${message} ${remedy}`).join()).toContain(newKey);
  });

  test('keys without effect here are taken with any value, and named once', () => {
    const loaded = parse(`${MINIMAL}  timeout: -1\n  health_check: {enabled: maybe}\n  heartbeat_interval: 30\n`);
    expect(loaded.config).not.toBeNull();
    expect(loaded.problems.map(({ severity, path, remedy }) => [severity, path, remedy])).toEqual([
      ['note', 'meshtastic.timeout', 'leave it out'],
      ['note', 'meshtastic.health_check', 'leave it out'],
      ['note', 'meshtastic.heartbeat_interval', 'leave it out'],
    ]);
  });

  test('the new spelling wins', () => {
    expect(config(`db: {path: /old}\ndatabase: {path: /new}\n${MINIMAL}`).database.path).toBe('/new');
    expect(config(`${MINIMAL}  message_delay: 3\n  plugin_response_delay: 9\n`).radios[0]?.messageDelayMs).toBe(3000);
  });

  test('either spelling switches encryption on', () => {
    const text = `matrix: {e2ee: {enabled: false}, encryption: {enabled: true}}\n${MINIMAL}`;
    expect(config(text).matrix.e2ee.enabled).toBe('on');
  });

  test('message_interactions that is there keeps its old defaults', () => {
    expect(config(`${MINIMAL}  message_interactions: {reactions: true}\n`).radios[0]).toMatchObject({
      reactions: true,
      replies: false,
    });
    expect(config(`${MINIMAL}  message_interactions: {reactions: false, replies: false}\n`).radios[0]).toMatchObject({
      reactions: false,
      replies: false,
    });
  });

  test('logging.debug becomes component levels', () => {
    const text = `${MINIMAL}logging: {debug: {matrix_nio: true, bleak: warning, meshtastic: false}, levels: {ble: error}}\n`;
    expect(config(text).logging).toMatchObject({ levels: { matrix: 'debug', ble: 'error' } });
  });

  test('Python leniency: numbers and booleans as text', () => {
    const text = `${ROOMS.replace('0', '"2"')}meshtastic: {connection_type: TCP, host: r, port: "4405", broadcast_enabled: "no", meshnet_name: 42}\n`;
    const loaded = parse(text);
    expect(loaded.config).toMatchObject({
      rooms: [{ channel: 2 }],
      radios: [{ connection: { port: 4405 }, broadcastEnabled: false, meshnetName: '42' }],
    });
    expect(loaded.problems.every(({ severity }) => severity === 'note')).toBe(true);
  });

  test('words that YAML reads as booleans are what was written', () => {
    const made = config(`${MINIMAL}relay: {delivery_status: off}\ndirect_messages: off\n`);
    expect(made.relay.deliveryStatus).toBe('off');
    expect(made.directMessages.mode).toBe('off');
    expect(config(`${MINIMAL}direct_messages: {users: ["@a:b"]}\n`).directMessages.mode).toBe('rooms');
  });

  // The keys of the sample of 1.4 (spec 01 section 2), all at once.
  test('a full file of the Python relay validates without error or warning', () => {
    const loaded = parse(`
matrix:
  homeserver: https://hs.test
  bot_user_id: "@bot:hs.test"
  access_token: abc
  prefix_enabled: true
  prefix_format: "[{long}/{mesh}]: "
  e2ee:
    enabled: true
matrix_rooms:
  - id: "#a:hs.test"
    meshtastic_channel: 0
  - id: "!b:hs.test"
    meshtastic_channel: 2
meshtastic:
  connection_type: tcp
  host: meshtastic.local
  serial_port: /dev/ttyUSB0
  ble_address: AA:BB:CC:DD:EE:FF
  meshnet_name: Home
  message_interactions:
    reactions: false
    replies: false
  broadcast_enabled: yes
  detection_sensor: on
  message_delay: 2.5
  nodedb_refresh_interval: 15.0
  timeout: 30
  retries: 0
  plugin_timeout: 5.0
  health_check:
    enabled: true
    connect_probe_enabled: true
    heartbeat_interval: 60
    initial_delay: 5
    probe_timeout: 30
  packet_routing:
    chat_portnums: [TEXT_MESSAGE_APP, 1]
    disabled_portnums: RANGE_TEST_APP
    encrypted_action: drop
logging:
  level: info
  log_to_file: true
  filename: ~/.mmrelay/logs/mmrelay.log
  max_log_size: 10485760
  backup_count: 5
  color_enabled: true
  rich_tracebacks: false
  debug:
    matrix_nio: false
    bleak: false
    meshtastic: false
    full_packets: false
database:
  path: ~/.mmrelay/data/meshtastic.sqlite
  enable_wal: true
  busy_timeout_ms: 5000
  pragmas:
    synchronous: NORMAL
    temp_store: MEMORY
  msg_map:
    msgs_to_keep: 500
    wipe_on_restart: true
plugins:
  ping:
    active: true
  weather:
    active: true
    units: imperial
    channels: [0, 2]
  map:
    active: false
    zoom: 12
community-plugins:
  sample_plugin:
    active: true
    repository: https://github.com/username/sample_plugin.git
    tag: v1.0
    install_requirements: false
  advanced:
    active: false
    repository: https://github.com/username/advanced.git
    branch: main
custom-plugins:
  my_plugin:
    active: true
security:
  community_repo_hosts: [github.com]
`);
    expect(loaded.problems.filter(({ severity }) => severity !== 'note')).toEqual([]);
    expect(loaded.config?.plugins.community[0]?.source).toEqual({
      repository: 'https://github.com/username/sample_plugin.git',
      ref: { kind: 'tag', name: 'v1.0' },
    });
  });
});
