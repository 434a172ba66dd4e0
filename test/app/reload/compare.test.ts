import { expect, test } from 'vitest';
import { relaySettings } from '../../../src/app/daemon/relay-settings.ts';
import { compareConfigs, takeOver } from '../../../src/app/reload/compare.ts';
import { liveSettings } from '../../../src/app/reload/live-settings.ts';
import { config } from '../../config/helpers.ts';

const BASE = `
matrix: {homeserver: "https://x", access_token: t0ken}
matrix_rooms: [{id: "#a:x", meshtastic_channel: 0}, {id: "#b:x", meshtastic_channel: 1}]
meshtastic: {connection_type: tcp, host: h, meshnet_name: M}
`;
const base = config(BASE);
const LINK = 'meshtastic: connection, message_delay';

test.each<[string, (text: string) => string, readonly string[], readonly string[]]>([
  ['nothing', (text) => text, [], []],
  ['a comment', (text) => `# hello\n${text}`, [], []],
  ['the log level', (text) => `${text}logging: {level: debug}\n`, ['logging.level'], []],
  ['the log format', (text) => `${text}logging: {format: json}\n`, [], ['logging: format, file']],
  [
    'who may write in a room',
    (text) => text.replace('channel: 1}', 'channel: 1, deny: ["@e:x"]}'),
    ['matrix_rooms'],
    [],
  ],
  ['the channel of a room', (text) => text.replace('channel: 1}', 'channel: 2}'), ['matrix_rooms'], []],
  [
    'a room more',
    (text) => text.replace('channel: 1}', 'channel: 1}, {id: "#c:x", meshtastic_channel: 2}'),
    ['matrix_rooms'],
    [],
  ],
  ['a plugin', (text) => `${text}plugins: {ping: {active: true}}\n`, ['plugins'], []],
  ['an admin', (text) => text.replace('t0ken', 't0ken, admins: ["@a:x"]'), ['matrix'], []],
  ['another host', (text) => text.replace('host: h', 'host: other'), [], [LINK]],
  ['broadcasts off', (text) => text.replace('host: h', 'host: h, broadcast_enabled: false'), ['meshtastic'], []],
  ['another account', (text) => text.replace('t0ken', 'an0ther'), [], ['matrix: account, e2ee']],
  ['the database', (text) => `${text}database: {busy_timeout_ms: 1}\n`, [], ['database']],
  ['health', (text) => `${text}health: {listen: "127.0.0.1:9"}\n`, [], ['health']],
])('%s', (_what, edit, applied, restart) => {
  expect(compareConfigs(base, config(edit(BASE)))).toEqual({ applied, restart });
});

test('what is taken over leaves nothing but the need for a restart', () => {
  const next = config(
    BASE.replace('channel: 1}', 'channel: 2, deny: ["@e:x"]}').replace(
      'host: h',
      'host: other, broadcast_enabled: false',
    ),
  );
  const running = takeOver(base, next);
  expect(running.rooms[1]).toMatchObject({ id: '#b:x', channel: 2, deny: ['@e:x'] });
  expect(running.radios[0]).toMatchObject({ connection: { host: 'h' }, broadcastEnabled: false });
  expect(compareConfigs(running, next).applied).toEqual([]);
  expect(compareConfigs(base, takeOver(running, base))).toEqual({ applied: [], restart: [] });
});

test('a room that is new comes, one that was removed goes; a room of a radio that does not run yet waits', () => {
  const swapped = config(BASE.replace('"#b:x"', '"#c:x"'));
  expect(takeOver(base, swapped).rooms.map(({ id }) => id)).toEqual(['#a:x', '#c:x']);
  const renamed = config(BASE.replace('host: h', 'name: other, host: h'));
  expect(takeOver(base, renamed).rooms).toEqual(base.rooms);
  expect(compareConfigs(base, renamed)).toEqual({ applied: [], restart: ['matrix_rooms', LINK, 'meshtastic'] });
});

test('live settings read what was set last, through whoever holds them', () => {
  const live = liveSettings(relaySettings(base));
  const held = live.settings;
  expect(held.routes[1]?.deny).toEqual([]);
  live.replace(relaySettings(config(BASE.replace('channel: 1}', 'channel: 1, deny: ["@e:x"]}'))));
  expect(held.routes[1]?.deny).toEqual(['@e:x']);
});
