import { BROADCAST } from '../../util/node-id.ts';
import type { MeshPacket, RadioInfo } from '../ports.ts';
import type { RelaySettings } from '../settings.ts';
import { presetName } from './meshnet-name.ts';

/** A channel without a name on LoRa settings of one's own (firmware, Channels::getName). */
const HAND_MADE = 'Custom';

/** A channel of one of our radios. */
export interface RadioChannelRef {
  readonly radio: string;
  readonly channel: number;
}

interface RadioFacts {
  readonly settings: RelaySettings;
  radioInfo(radio: string): RadioInfo | null;
}

/**
 * Index of the same channel on another radio: same name (an unnamed one is named after the preset), same key, and the
 * same air where both tell theirs. null when there is none: a text never reaches strangers who chose the same name.
 */
export function sameChannel(from: RadioInfo, channel: number, to: RadioInfo): number | null {
  const wanted = from.channels.find(({ index, role }) => index === channel && role !== 'disabled');
  if (wanted === undefined || !sameAir(from, to)) return null;
  const name = channelName(from, wanted.name);
  const found = to.channels.find(
    (other) => other.role !== 'disabled' && other.keyId === wanted.keyId && channelName(to, other.name) === name,
  );
  return found?.index ?? null;
}

function sameAir(a: RadioInfo, b: RadioInfo): boolean {
  if (a.lora === null || b.lora === null) return true;
  const { region, bandwidthKhz, spreadFactor } = a.lora;
  return b.lora.region === region && b.lora.bandwidthKhz === bandwidthKhz && b.lora.spreadFactor === spreadFactor;
}

function channelName(info: RadioInfo, name: string): string {
  if (name !== '' || info.lora === null) return name;
  return info.lora.modemPreset === null ? HAND_MADE : presetName(info.lora.modemPreset);
}

/**
 * Whose packet this is. A radio without a room of its own on that channel hears for the one that has, when they may
 * stand in for each other (`radios.failover`); a direct message is always for the radio that got it.
 */
export function homeOf(radio: string, packet: MeshPacket, facts: RadioFacts): RadioChannelRef {
  const own = { radio, channel: packet.channel };
  const { settings } = facts;
  const hasRoom = (ref: RadioChannelRef): boolean =>
    settings.routes.some((route) => route.radio === ref.radio && route.channel === ref.channel);
  if (settings.radioFailover !== true || settings.radios.size < 2 || packet.to !== BROADCAST) return own;
  const info = facts.radioInfo(radio);
  if (info === null || packet.encrypted || hasRoom(own)) return own;
  for (const other of settings.radios.keys()) {
    const otherInfo = other === radio ? null : facts.radioInfo(other);
    const channel = otherInfo === null ? null : sameChannel(info, packet.channel, otherInfo);
    if (channel !== null && hasRoom({ radio: other, channel })) return { radio: other, channel };
  }
  return own;
}
