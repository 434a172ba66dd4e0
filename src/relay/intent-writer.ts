import type { Clock } from '../util/clock.ts';
import type { JsonObject } from '../util/json.ts';
import { type DeliverySource, type RadioDelivery, radioLane, roomLane } from './delivery.ts';
import type { RadioPort } from './ports.ts';
import type { Intent } from './rules/view.ts';
import type { RelaySettings } from './settings.ts';
import type { StorePort } from './store-port.ts';

export interface IntentWriterOptions {
  readonly store: StorePort;
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly clock: Clock;
}

/** Where intents come from, for the outbox row. */
export interface IntentOrigin {
  readonly origin: string;
  /** Age counts from here: the event's time, or now. */
  readonly atMs: number;
  readonly meshnet: (radio: string) => string | null;
}

/**
 * Puts intents into the outbox; the caller holds the transaction. Packet ids are chosen here, so that a reply to a
 * message that still waits finds its packet.
 * @returns lanes that have new rows
 */
export function writeIntents(
  intents: readonly Intent[],
  from: IntentOrigin,
  context: IntentWriterOptions & { readonly settings: RelaySettings },
): ReadonlySet<string> {
  const lanes = new Set<string>();
  const { store, settings, clock } = context;
  for (const intent of intents) {
    if (intent.kind === 'to-room') {
      const lane = roomLane(intent.room);
      store.outbox.add({
        lane,
        priority: intent.priority,
        createdAtMs: clock.now(),
        expiresAtMs: clock.now() + settings.roomMaxAgeMs,
        packetId: null,
        origin: from.origin,
        groupId: null,
        payload: intent.delivery as unknown as JsonObject,
      });
      lanes.add(lane);
    } else if (intent.kind === 'to-radio') {
      lanes.add(writePackets(intent, from, context));
    }
  }
  return lanes;
}

function writePackets(
  intent: Extract<Intent, { kind: 'to-radio' }>,
  from: IntentOrigin,
  context: IntentWriterOptions & { readonly settings: RelaySettings },
): string {
  const { store, radios, settings, clock } = context;
  const lane = radioLane(intent.radio);
  const radio = radios.get(intent.radio);
  if (radio === undefined) throw new Error(`No radio is called ${intent.radio}`);
  for (const delivery of intent.deliveries) {
    const packetId = radio.newPacketId();
    store.outbox.add({
      lane,
      priority: intent.priority,
      createdAtMs: clock.now(),
      // A sender's clock may be ahead; that must not make a row immortal.
      expiresAtMs: Math.min(from.atMs, clock.now()) + settings.maxAgeMs,
      packetId,
      origin: from.origin,
      groupId: intent.deliveries.length > 1 ? from.origin : null,
      payload: delivery as unknown as JsonObject,
    });
    linkPacket(store, delivery, {
      radio: intent.radio,
      sender: radio.info()?.nodeNum ?? 0,
      packetId,
      text: intent.text,
      meshnet: from.meshnet(intent.radio),
      atMs: clock.now(),
    });
  }
  return lane;
}

/** Remembers which event a packet of ours carries, for replies and reactions from the mesh, and for its echo. */
function linkPacket(
  store: StorePort,
  delivery: RadioDelivery,
  packet: {
    radio: string;
    sender: number;
    packetId: number;
    text: string | null;
    meshnet: string | null;
    atMs: number;
  },
): void {
  if (packet.sender !== 0) store.inbox.noteOwnPacket(packet.sender, packet.packetId, packet.atMs);
  const source: DeliverySource | null = delivery.source;
  // Tapbacks are no messages: nobody answers them.
  if (source === null || delivery.emoji !== 0) return;
  store.links.add({
    radio: packet.radio,
    sender: packet.sender,
    packetId: packet.packetId,
    roomId: source.roomId,
    eventId: source.eventId,
    direction: 'to-mesh',
    text: packet.text,
    meshnet: packet.meshnet,
    author: source.sender,
    createdAtMs: packet.atMs,
  });
}
