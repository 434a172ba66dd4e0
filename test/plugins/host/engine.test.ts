import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { newPlugin } from '../../../src/app/plugins/admin.ts';
import { createPlugins, pluginClaim } from '../../../src/app/plugins/create-plugins.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import type { PluginHost } from '../../../src/plugins/host/host.ts';
import { PRIORITY } from '../../../src/relay/delivery.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { config } from '../../config/helpers.ts';
import { type EngineFixture, startEngine } from '../../support/engine-fixture.ts';
import { OWN_NODE, packet, ROOM, radioSettings, roomEvent, settings } from '../../support/relay-fixture.ts';
import { until } from './helpers.ts';

const open: { readonly host: PluginHost; readonly fixture: EngineFixture }[] = [];

afterEach(async () => {
  for (const { host, fixture } of open.splice(0)) {
    await host.stop();
    const stopped = fixture.engine.stop();
    await fixture.clock.advance(1_000);
    await stopped;
  }
});

/** A relay with the plugins of a home, between fakes. */
async function relayWith(
  sections: string,
  prepare: (home: string) => void = () => undefined,
  fixtureOptions: Parameters<typeof startEngine>[0] = {},
) {
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-home-'));
  const text = `matrix: { homeserver: https://ex.org, bot_user_id: '@bot:ex.org', access_token: x }
matrix_rooms: [{ id: '${ROOM}', meshtastic_channel: 0 }]
meshtastic: { connection_type: tcp, host: 127.0.0.1 }
${sections}`;
  const paths = resolvePaths({ cli: { home }, env: {}, cwd: home, config: null, configFile: null });
  prepare(home);
  const late: { claim: Parameters<typeof startEngine>[0] } = { claim: {} };
  const fixture: EngineFixture = await startEngine({
    ...fixtureOptions,
    claim: (row, view) => late.claim?.claim?.(row, view) ?? Promise.resolve(false),
  });
  const { engine, matrix, radio, clock, store } = fixture;
  const host = createPlugins({
    config: config(text),
    paths,
    store,
    matrix,
    radios: new Map([[radio.name, radio]]),
    clock,
    random: () => 0.5,
    logger: silentLogger,
    view: () => engine.view(),
    submit: (intents, origin) => engine.submit(intents, origin),
    status: () => ({
      version: '0',
      startedAtMs: 0,
      radios: [],
      matrix: { status: 'syncing', reason: null, sinceMs: 0, userId: null },
      queues: [],
    }),
    releases: { release: async () => ({ radio: 'default', untilMs: 0 }), claim: () => ({ radio: 'default' }) },
  });
  late.claim = { claim: pluginClaim(host, { matrix, logger: silentLogger }) };
  await host.start();
  open.push({ host, fixture });
  return { ...fixture, host, home, paths };
}

const GREETER = 'custom-plugins: { greeter: { active: true, greeting: Ahoj } }';

it('a plugin of the home answers in its room and on the mesh, and its commands are not relayed', async () => {
  const { host, matrix, radio, clock } = await relayWith(
    GREETER,
    (home) =>
      void newPlugin(resolvePaths({ cli: { home }, env: {}, cwd: home, config: null, configFile: null }), 'greeter'),
  );
  expect(host.states()).toMatchObject([{ name: 'greeter', status: 'active', tier: 'custom' }]);

  matrix.sync([roomEvent({ body: '!greeter' })]);
  const turn = setInterval(() => void clock.advance(10), 1);
  await until(() => matrix.sent.length === 2);
  radio.sink?.onPacket(packet({ text: '!greeter you', to: OWN_NODE, id: 99 }));
  await until(() => radio.sent.length === 1);
  clearInterval(turn);

  expect(matrix.sent.map(({ type, content }) => ({ type, ...content }))).toEqual([
    {
      type: 'm.room.message',
      msgtype: 'm.notice',
      body: 'Ahoj Alice Smith, greeting number 1!',
      mmrelay_suppress: true,
    },
    {
      type: 'm.reaction',
      'm.relates_to': { rel_type: 'm.annotation', event_id: '$event', key: '✅' },
      mmrelay_suppress: true,
    },
  ]);
  expect(radio.texts()).toEqual(['Ahoj you, greeting number 2!']);
  expect(radio.sent[0]).toMatchObject({ to: 0x0a11ce01, replyId: 99, channel: 0, wantAck: true });
});

it('chat goes on: other texts are relayed, core plugins answer, a failed plugin disturbs nobody', async () => {
  const { host, matrix, radio, clock } = await relayWith(
    `plugins: { ping: { active: true }, nosuch: { active: true } }
custom-plugins: { broken: { active: true }, old: { active: true } }`,
    (home) => {
      mkdirSync(join(home, 'plugins', 'custom', 'broken'), { recursive: true });
      writeFileSync(join(home, 'plugins', 'custom', 'broken', 'index.ts'), 'throw new Error("at import");');
      mkdirSync(join(home, 'plugins', 'custom', 'old'), { recursive: true });
      writeFileSync(join(home, 'plugins', 'custom', 'old', 'plugin.py'), 'class Plugin: pass');
    },
  );
  expect(host.states().map(({ name, status, reason }) => [name, status, reason])).toEqual([
    ['ping', 'active', null],
    ['nosuch', 'failed', expect.stringContaining('there is no core plugin called nosuch')],
    ['broken', 'failed', 'at import'],
    ['old', 'failed', expect.stringContaining('Python plugin of mmrelay 1.x')],
  ]);

  matrix.sync([
    roomEvent({ eventId: '$1', body: 'hello' }),
    roomEvent({ eventId: '$2', body: '@bot:ex.org: !ping' }),
    roomEvent({ eventId: '$3', body: '!ping' }),
  ]);
  await clock.advance(60_000);
  expect(radio.texts()).toEqual(['Alice[M]: hello', 'Alice[M]: !ping']);
  expect(matrix.bodies()).toEqual(['pong!', undefined]);

  radio.sink?.onPacket(packet({ text: 'from the mesh', id: 5 }));
  radio.sink?.onPacket(packet({ text: '!ping', id: 6 }));
  await clock.advance(60_000);
  expect(matrix.bodies().at(-1)).toBe('[!0a11ce01/Home]: from the mesh');
  expect(radio.texts().at(-1)).toBe('pong!');
});

it('a reply that is a command is a command; output of relays and notices are not', async () => {
  const { matrix, radio, clock } = await relayWith('plugins: { ping: { active: true, require_bot_mention: false } }');
  const reply = { 'm.relates_to': { 'm.in_reply_to': { event_id: '$x' } } };
  matrix.sync([
    roomEvent({ eventId: '$1', content: { msgtype: 'm.text', body: '> <@a:b> hi\n\n!ping', ...reply } }),
    roomEvent({ eventId: '$2', content: { msgtype: 'm.notice', body: '!ping' } }),
    roomEvent({ eventId: '$3', content: { msgtype: 'm.text', body: '!ping', mmrelay_suppress: true } }),
  ]);
  await clock.advance(60_000);

  expect(matrix.bodies()).toEqual(['pong!', undefined]);
  expect(radio.texts()).toEqual([]);
});

const BRIDGE = "plugins: { mesh_relay: { active: true, peers: ['@peer:ex.org'] } }";

/** As a relay of another mesh puts a waypoint into the room. */
function carried(eventId: string, change: Parameters<typeof roomEvent>[0] = {}, payload = 'CAE=') {
  const packet = JSON.stringify({ toId: '^all', decoded: { portnum: 'WAYPOINT_APP', payload } });
  const body = 'Processed WAYPOINT_APP radio packet';
  const content = { msgtype: 'm.text', body, mmrelay_suppress: true, meshtastic_packet: packet };
  return roomEvent({ eventId, sender: '@peer:ex.org', content, ...change });
}

it("a peer relay's packet goes out once; those of others and old ones do not", async () => {
  const { matrix, radio, clock } = await relayWith(BRIDGE);
  matrix.sync([
    carried('$1'),
    carried('$2'),
    carried('$3', { sender: '@other:ex.org' }, 'CAI='),
    carried('$4', { timestampMs: 0 }, 'CAM='),
  ]);
  await clock.advance(60_000);
  expect(radio.sent).toMatchObject([{ portnum: 8, payload: Buffer.from([8, 1]), to: 0xffffffff, channel: 0 }]);
  expect(matrix.sent).toEqual([]);
});

it('waypoints leave ten seconds apart, for the firmware drops what comes sooner, and chat goes between', async () => {
  const { matrix, radio, clock } = await relayWith(BRIDGE);
  matrix.sync([carried('$1', {}, 'CBE='), carried('$2', {}, 'CBI=')]);
  await clock.advance(5_000);
  matrix.sync([roomEvent({ eventId: '$3', body: 'chat' })]);
  await clock.advance(3_000);
  expect(radio.sent.map(({ portnum }) => portnum)).toEqual([8, 1]);
  await clock.advance(5_000);
  expect(radio.sent.map(({ portnum }) => portnum)).toEqual([8, 1, 8]);
});

it("a peer's packet does not go out where broadcasts are off", async () => {
  const radios = new Map([['default', radioSettings({ broadcastEnabled: false })]]);
  const off = await relayWith(BRIDGE, undefined, { settings: settings({ radios }) });
  off.matrix.sync([carried('$1', {}, 'CCE=')]);
  await off.clock.advance(60_000);
  expect(off.radio.sent).toEqual([]);
});

it('a thousand messages of a plugin delay a chat text by no more than the one under way', async () => {
  const { engine, matrix, radio, clock } = await relayWith('');
  const flood = Array.from({ length: 1_000 }, (_, index) => ({
    kind: 'to-radio' as const,
    radio: 'default',
    priority: PRIORITY.plugin,
    text: null,
    deliveries: [
      {
        kind: 'packet' as const,
        to: 0xffffffff,
        channel: 0,
        portnum: 1,
        text: `flood ${index}`,
        replyId: 0,
        emoji: 0,
        wantAck: false,
        pki: false,
        source: null,
      },
    ],
  }));
  engine.submit(flood, 'plugin:flood');
  await clock.advance(10_000);
  const before = radio.sent.length;
  expect(before).toBeGreaterThan(1);
  expect(before).toBeLessThan(100);
  matrix.sync([roomEvent({ body: 'chat' })]);
  await clock.advance(60_000);

  expect(radio.texts().indexOf('Alice[M]: chat') - before).toBeLessThanOrEqual(1);
});
