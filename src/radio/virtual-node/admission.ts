import { BlockList, isIP } from 'node:net';
import type { DevicePacket } from '../codec/device-packet.ts';

export const ADMIN_APP = 6;

/** Who may change the settings of the radio. @param allowed addresses, or networks as 192.168.1.0/24; others are ignored */
export function adminList(allowed: readonly string[]): (address: string) => boolean {
  const list = new BlockList();
  for (const entry of allowed.flatMap((name) => (name === 'localhost' ? ['127.0.0.1', '::1'] : [name]))) {
    const [address = '', bits] = entry.split('/');
    const family = familyOf(address);
    if (family === null) continue;
    if (bits === undefined) list.addAddress(address, family);
    else if (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 'ipv4' ? 32 : 128))
      list.addSubnet(address, Number(bits), family);
  }
  return (address) => {
    const family = familyOf(address);
    return family !== null && list.check(address, family);
  };
}

function familyOf(address: string): 'ipv4' | 'ipv6' | null {
  const version = isIP(address);
  return version === 0 ? null : version === 4 ? 'ipv4' : 'ipv6';
}

/** An order to a device, ours or (by our keys) another; a ciphertext may hide one. */
export function needsAdmin(packet: DevicePacket): boolean {
  return packet.portnum === ADMIN_APP || packet.encrypted;
}
