import { Admin, Channel } from '@meshtastic/protobufs';
import type { DeviceChannel } from './device-frames.ts';
import { parseMessage } from './parse.ts';

/**
 * Whether an admin message is an order that a person gave: apps read settings, and set the clock at every connect, by
 * themselves. What this schema does not know counts as one.
 */
export function changesSettings(payload: Uint8Array): boolean {
  const kind = parseMessage(Admin.AdminMessageSchema, payload)?.payloadVariant.case;
  return kind === undefined || !(kind === 'setTimeOnly' || kind.startsWith('get'));
}

/** The channel that a device is ordered to have; null for any other order. */
export function orderedChannel(
  payload: Uint8Array,
): { readonly index: number; readonly channel: DeviceChannel } | null {
  const order = parseMessage(Admin.AdminMessageSchema, payload)?.payloadVariant;
  if (order?.case !== 'setChannel') return null;
  const { index, settings, role } = order.value;
  const channel = {
    name: settings?.name ?? '',
    psk: settings?.psk ?? new Uint8Array(0),
    role: ROLES[role] ?? 'disabled',
  } as const;
  return { index, channel };
}

const ROLES: Readonly<Record<Channel.Channel_Role, DeviceChannel['role']>> = {
  [Channel.Channel_Role.DISABLED]: 'disabled',
  [Channel.Channel_Role.PRIMARY]: 'primary',
  [Channel.Channel_Role.SECONDARY]: 'secondary',
};
