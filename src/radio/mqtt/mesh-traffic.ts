import { isIP } from 'node:net';
import type { MeshPacket, OutgoingPacket } from '../../relay/ports.ts';
import { nodeId } from '../../util/node-id.ts';
import { RelayError } from '../../util/relay-error.ts';
import { type ChannelKey, channelKey, cryptData } from '../codec/channel-key.ts';
import { decodeEnvelope, encodeData, encodeEnvelope, openPacket } from '../codec/mqtt-envelope.ts';

const REMEMBERED = 4_096;
/** Largest payload in a LoRa packet: what a gateway could not put on the air must not go to it (DATA_PAYLOAD_LEN). */
const MAX_DATA_BYTES = 233;

export interface TrafficOptions {
  readonly nodeNum: number;
  /** `msh/EU_868`. */
  readonly rootTopic: string;
  readonly host: string;
  /** By channel index. */
  readonly channels: readonly { readonly name: string; readonly psk: string }[];
}

/** What a message on the broker means to us. */
export type Heard =
  | { readonly kind: 'packet'; readonly packet: MeshPacket }
  /** Our own packet came back: the broker gave it out. */
  | { readonly kind: 'own'; readonly packetId: number; readonly to: number }
  | { readonly kind: 'nothing'; readonly why: string };

export interface Publication {
  readonly topic: string;
  readonly payload: Uint8Array;
}

/**
 * The mesh as it lies on a broker: topics, envelopes, keys. One per MQTT radio; remembers the last packets, since every
 * gateway that heard a packet publishes it.
 */
export class MeshTraffic {
  readonly channels: readonly ChannelKey[];
  readonly #options: TrafficOptions;
  readonly #ownId: string;
  readonly #mindsConsent: boolean;
  readonly #seen = new Set<string>();

  /** @throws RelayError CONFIG_MQTT_CHANNEL for a key that is none */
  constructor(options: TrafficOptions) {
    this.#options = options;
    this.#ownId = nodeId(options.nodeNum);
    this.#mindsConsent = !isPrivateHost(options.host);
    this.channels = options.channels.map(({ name, psk }) => {
      const channel = channelKey(name, psk);
      if (channel !== null) return channel;
      throw new RelayError('CONFIG_MQTT_CHANNEL', `the psk of MQTT channel ${name} is no base64 of at most 32 bytes`);
    });
  }

  /** One subscription per channel; JSON has another topic and is not asked for. */
  topics(): readonly string[] {
    return [...new Set(this.channels.map(({ name }) => `${this.#options.rootTopic}/2/e/${name}/+`))];
  }

  /** Reads one message. A packet counts once, whoever publishes it. */
  read(payload: Uint8Array): Heard {
    const envelope = decodeEnvelope(payload);
    if (envelope === null) return nothing('no envelope');
    const { packet, gatewayId, channelId } = envelope;
    if (packet.from === this.#options.nodeNum) {
      return gatewayId === this.#ownId
        ? { kind: 'own', packetId: packet.id, to: packet.to }
        : nothing('our own, from a gateway');
    }
    // Anybody can write plaintext to a broker; the channel key is what makes a member of the channel.
    if (!packet.encrypted) return nothing('not encrypted');
    const index = this.channels.findIndex(({ name, hash }) => name === channelId && hash === packet.channel);
    const channel = this.channels[index];
    if (channel === undefined) return nothing('no such channel or key');
    const plaintext = cryptData(packet.payload, { key: channel.key, from: packet.from, id: packet.id });
    const opened = openPacket(packet, plaintext, index);
    if (opened === null) return nothing('does not decrypt');
    if (opened.okToMqtt === false && this.#mindsConsent) return nothing('its sender did not agree to brokers');
    if (this.#isKnown(packet)) return nothing('heard before');
    return { kind: 'packet', packet: { ...opened.packet, viaMqtt: true } };
  }

  /**
   * A packet of ours for the broker.
   * @throws RelayError RADIO_TOO_LARGE, RADIO_NO_CHANNEL, RADIO_NO_PKI (never)
   */
  write(
    packet: OutgoingPacket,
    more: { readonly hopLimit: number; readonly timeS: number; readonly requestId?: number },
  ): Publication {
    const channel = this.channels[packet.channel];
    if (channel === undefined) throw new RelayError('RADIO_NO_CHANNEL', `no MQTT channel ${packet.channel}`);
    if (packet.publicKey !== null)
      throw new RelayError('RADIO_NO_PKI', 'an MQTT radio has no key pair for direct messages');
    if (packet.payload.length > MAX_DATA_BYTES) {
      throw new RelayError('RADIO_TOO_LARGE', `payload of ${packet.payload.length} bytes exceeds ${MAX_DATA_BYTES}`);
    }
    const from = this.#options.nodeNum;
    const data = encodeData(packet, more.requestId);
    const payload = encodeEnvelope(packet, cryptData(data, { key: channel.key, from, id: packet.id }), {
      from,
      gatewayId: this.#ownId,
      channelId: channel.name,
      channelHash: channel.hash,
      hopLimit: more.hopLimit,
      timeS: more.timeS,
    });
    return { topic: `${this.#options.rootTopic}/2/e/${channel.name}/${this.#ownId}`, payload };
  }

  #isKnown({ from, id }: MeshPacket): boolean {
    const key = `${from}/${id}`;
    if (id !== 0 && this.#seen.has(key)) return true;
    this.#seen.add(key);
    const oldest = this.#seen.values().next();
    if (this.#seen.size > REMEMBERED && oldest.done !== true) this.#seen.delete(oldest.value);
    return false;
  }
}

function nothing(why: string): Heard {
  return { kind: 'nothing', why };
}

/**
 * A broker of one's own: there the gateways are one's own too, and their owner decides. Firmware puts packets without
 * the ok_to_mqtt bit on such brokers only (MQTT::onSend), so on a public one they are there against their sender's will.
 */
export function isPrivateHost(host: string): boolean {
  const bare = host.replace(/^\[(.*)\]$/, '$1').toLowerCase();
  if (isIP(bare) === 4) return /^(10|127|192\.168|169\.254|172\.(1[6-9]|2\d|3[01]))\./.test(bare);
  if (isIP(bare) === 6) return bare === '::1' || /^f[cd]|^fe[89ab]/.test(bare);
  return !bare.includes('.') || /\.(local|lan|home|internal|home\.arpa)$/.test(bare);
}
