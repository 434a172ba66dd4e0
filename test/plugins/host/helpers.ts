import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { MeshOutput, Packet, Plugin, RoomOutput } from '../../../src/plugins/api.ts';
import { PluginHost, type PluginHostOptions } from '../../../src/plugins/host/host.ts';
import type { Inbound, PluginSpec, RelayAccess } from '../../../src/plugins/host/types.ts';
import { codeStamp } from '../../../src/plugins/sources/code-stamp.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { RelayError } from '../../../src/util/relay-error.ts';

export interface Sent {
  readonly mesh: MeshOutput[];
  readonly rooms: RoomOutput[];
}

/** The relay as the host sees it: one room on channel 0, everything sent is kept. */
function fakeRelay(sent: Sent): RelayAccess {
  return {
    sendMesh: (output) => {
      sent.mesh.push(output);
    },
    sendPacket: () => undefined,
    sendRoom: async (output) => {
      sent.rooms.push(output);
    },
    nodes: () => [],
    ownNode: () => 1,
    positions: () => new Map(),
    telemetry: () => new Map(),
    status: () => {
      throw new Error('no status here');
    },
    releaseRadio: async () => ({ radio: 'default', untilMs: 0 }),
    claimRadio: () => {
      throw new RelayError('RADIO_NOT_RELEASED', 'Radio default is not released');
    },
    rooms: () => [{ room: '!room:ex.org', radio: 'default', channel: 0 }],
    bot: () => ({ userId: '@relay:ex.org', displayName: 'Relay Bot' }),
    powerLevel: (_room, user) => (user === '@mod:ex.org' ? 50 : 0),
  };
}

/** A module in a temporary folder, as a custom plugin would lie in a home. */
function pluginFolder(code: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-plugin-'));
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'index.ts'), code);
  return folder;
}

function spec(name: string, code: PluginSpec['code'], change: Partial<PluginSpec>): PluginSpec {
  return {
    name,
    tier: code.kind === 'worker' ? 'custom' : 'core',
    channels: null,
    priority: null,
    mentionRequired: false,
    schedule: null,
    settings: { active: true },
    dataFolder: join(tmpdir(), 'mmrelay-plugin-data', name),
    code,
    ...change,
  };
}

export function inProcess(plugin: Plugin, change: Partial<PluginSpec> = {}): PluginSpec {
  return spec(plugin.name, { kind: 'in-process', load: () => Promise.resolve(plugin) }, change);
}

export function inWorker(name: string, code: string, change: Partial<PluginSpec> = {}): PluginSpec {
  return inFolder(name, pluginFolder(code), change);
}

/** A plugin whose `index.ts` lies in that folder. */
export function inFolder(name: string, folder: string, change: Partial<PluginSpec> = {}): PluginSpec {
  const entry = pathToFileURL(join(folder, 'index.ts')).href;
  return spec(name, { kind: 'worker', locate: () => Promise.resolve(entry), stamp: () => codeStamp(folder) }, change);
}

export interface TestHost {
  readonly host: PluginHost;
  readonly sent: Sent;
  readonly started: Promise<void>;
}

export function startHost(plugins: readonly PluginSpec[], change: Partial<PluginHostOptions> = {}): TestHost {
  const sent: Sent = { mesh: [], rooms: [] };
  const clock = change.clock ?? systemClock;
  const host = new PluginHost({
    plugins,
    relay: fakeRelay(sent),
    store: openStore({ path: ':memory:', clock, logger: silentLogger }),
    clock,
    random: () => 0,
    logger: silentLogger,
    admins: ['@admin:ex.org'],
    userAgent: 'test',
    timeZone: 'UTC',
    ...change,
  });
  return { host, sent, started: host.start() };
}

export function meshInbound(text: string | null, change: Partial<Packet> = {}): Inbound {
  const packet: Packet = {
    radio: 'default',
    from: 0x0a11ce01,
    fromId: '!0a11ce01',
    to: 0xffffffff,
    id: 4711,
    channel: 0,
    portnum: 1,
    portName: 'TEXT_MESSAGE_APP',
    payload: new TextEncoder().encode(text ?? ''),
    encrypted: false,
    replyId: 0,
    emoji: 0,
    requestId: 0,
    wantResponse: false,
    hopLimit: 3,
    hopStart: 3,
    hops: 0,
    rxTimeS: 0,
    rxSnr: 5,
    rxRssi: -80,
    viaMqtt: false,
    direct: false,
    decoded: null,
    ...change,
  };
  const author = { num: packet.from, id: packet.fromId, longName: 'Alice', shortName: 'AL' };
  const message = { text: text ?? '', author, meshnet: 'Home', formatted: `[Alice/Home]: ${text}`, packet };
  return { kind: 'mesh', packet, text: text === null ? null : message };
}

export function roomInbound(
  text: string,
  sender = '@alice:ex.org',
  change: { readonly stale?: boolean } = {},
): Inbound {
  const message = {
    room: '!room:ex.org',
    roomId: '!room:ex.org',
    eventId: '$event',
    sender,
    senderName: 'Alice',
    text,
    msgtype: 'm.text',
    replyTo: null,
    timestampMs: 0,
    radio: 'default',
    channel: 0,
    encrypted: false,
  };
  return { kind: 'room', message, formattedBody: null, stale: change.stale ?? false };
}

/** Resolves once `test` holds: real threads answer in their own time. */
export async function until(test: () => boolean, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!test()) {
    if (performance.now() > endMs) throw new Error('It did not come true in time');
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
}
