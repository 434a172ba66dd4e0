import type { LoraSettings, MeshPacket, RadioInfo, RoomEvent } from '../../src/relay/ports.ts';
import type { WorldView } from '../../src/relay/rules/view.ts';
import type { RadioSettings, RelaySettings, RoomRoute } from '../../src/relay/settings.ts';
import type { MessageLink } from '../../src/relay/store-port.ts';

export const OWN_NODE = 0xa0000001;
export const ALICE_NODE = 0x0a11ce01;
export const BOT = '@bot:ex.org';
export const ROOM = '!room:ex.org';
export const NOW_MS = 1_750_000_000_000;

/** A text broadcast by Alice's node on channel 0. */
export function packet(change: Partial<MeshPacket> & { readonly text?: string } = {}): MeshPacket {
  const { text, ...fields } = change;
  return {
    from: ALICE_NODE,
    to: 0xffffffff,
    id: 4711,
    channel: 0,
    portnum: 1,
    payload: new TextEncoder().encode(text ?? 'hello'),
    encrypted: false,
    replyId: 0,
    emoji: 0,
    requestId: 0,
    wantAck: false,
    wantResponse: false,
    hopLimit: 3,
    hopStart: 3,
    rxTimeS: 1_750_000_000,
    rxSnr: 5,
    rxRssi: -80,
    viaMqtt: false,
    pkiEncrypted: false,
    ...fields,
  };
}

/** A text by Alice in the mapped room. */
export function roomEvent(change: Partial<RoomEvent> & { readonly body?: string } = {}): RoomEvent {
  const { body, ...fields } = change;
  return {
    roomId: ROOM,
    eventId: '$event',
    sender: '@alice:ex.org',
    senderName: 'Alice Smith',
    type: 'm.room.message',
    content: { msgtype: 'm.text', body: body ?? 'hello' },
    timestampMs: NOW_MS - 1_000,
    stateKey: null,
    redacts: null,
    encrypted: false,
    undecryptable: null,
    ...fields,
  };
}

/** Our bot enters a room. */
export function botJoin(roomId: string): RoomEvent {
  return roomEvent({
    eventId: `$join${roomId}`,
    roomId,
    type: 'm.room.member',
    stateKey: BOT,
    sender: BOT,
    content: { membership: 'join' },
  });
}

export function route(change: Partial<RoomRoute> = {}): RoomRoute {
  return {
    room: ROOM,
    radio: 'default',
    channel: 0,
    meshPrefix: null,
    roomPrefix: null,
    allow: [],
    deny: [],
    minPowerLevel: null,
    locations: false,
    relayNotices: false,
    ...change,
  };
}

export function radioSettings(change: Partial<RadioSettings> = {}): RadioSettings {
  return {
    name: 'default',
    meshnetName: 'Home',
    broadcastEnabled: true,
    detectionSensor: true,
    prefixFormat: '{display5}[M]: ',
    messageDelayMs: 2_000,
    packetRouting: { chatPortnums: new Set(), disabledPortnums: new Set(), encryptedAction: 'plugin_only' },
    ignoredNodes: new Set(),
    replies: true,
    reactions: true,
    ...change,
  };
}

export function settings(change: Partial<RelaySettings> = {}): RelaySettings {
  return {
    routes: [route()],
    radios: new Map([['default', radioSettings()]]),
    roomPrefixFormat: '[{long}/{mesh}]: ',
    edits: 'correction',
    redactions: 'ignore',
    longMessages: 'split',
    maxParts: 4,
    maxAgeMs: 12 * 3_600_000,
    roomMaxAgeMs: 30 * 24 * 3_600_000,
    deliveryStatus: 'failures',
    trustedRelays: new Set(),
    trustRoomRelays: false,
    directMessages: { mode: 'off', users: [] },
    userRate: { perMinute: 20, burst: 10 },
    keepLinks: 500,
    ...change,
  };
}

export const LORA: LoraSettings = {
  region: 'US',
  modemPreset: 'LONG_FAST',
  bandwidthKhz: 250,
  spreadFactor: 11,
  codingRate: 5,
  hopLimit: 3,
  txEnabled: true,
  overrideDutyCycle: false,
};

export const RADIO_INFO: RadioInfo = {
  nodeNum: OWN_NODE,
  firmwareVersion: '2.7.26',
  hwModel: 'TBEAM',
  hasPkc: true,
  lora: null,
  channels: [{ index: 0, name: '', role: 'primary', keyId: 'stock' }],
};

export interface WorldChange {
  readonly settings?: RelaySettings;
  readonly links?: readonly MessageLink[];
  readonly powerLevels?: Readonly<Record<string, number>>;
  readonly direct?: Readonly<Record<string, { readonly radio: string; readonly node: number }>>;
  readonly names?: Readonly<Record<number, { readonly long: string; readonly short: string }>>;
}

export function world(change: WorldChange = {}): WorldView {
  const links = change.links ?? [];
  const names = change.names ?? { [ALICE_NODE]: { long: 'Alice Long', short: 'AL' } };
  return {
    settings: change.settings ?? settings(),
    nowMs: NOW_MS,
    ownUser: BOT,
    radioInfo: () => RADIO_INFO,
    node: () => null,
    names: (num) => names[num] ?? { long: `!${num.toString(16).padStart(8, '0')}`, short: num.toString(16).slice(-4) },
    linkByPacket: (key) => links.find((link) => link.packetId === key.packetId) ?? null,
    linksByEvent: (eventId) => links.filter((link) => link.eventId === eventId),
    routeOf: (roomId) => (change.settings ?? settings()).routes.find(({ room }) => room === roomId),
    directTarget: (roomId) => change.direct?.[roomId] ?? null,
    powerLevel: (_room, user) => change.powerLevels?.[user] ?? null,
  };
}

export function link(change: Partial<MessageLink> = {}): MessageLink {
  return {
    radio: 'default',
    sender: ALICE_NODE,
    packetId: 4711,
    roomId: ROOM,
    eventId: '$original',
    direction: 'to-room',
    text: 'original words',
    meshnet: 'Home',
    author: '!0a11ce01',
    createdAtMs: NOW_MS - 5_000,
    ...change,
  };
}
