import type { BleFound } from './central.ts';

/**
 * Whether a peripheral is the one meant by `target`: an address in any spelling (AA:BB:.., aa-bb-.., aabb..), or the
 * advertised name (case does not matter). An address is never compared with a name or the other way round.
 */
export function isTarget(target: string, found: BleFound): boolean {
  const address = bareAddress(target);
  if (address !== null) return bareAddress(found.address) === address;
  return found.name !== null && found.name.trim().toLowerCase() === target.trim().toLowerCase();
}

/** Twelve lower-case hex digits, or null for what is not an address. */
function bareAddress(text: string): string | null {
  const bare = text.trim().replace(/[:_-]/g, '').toLowerCase();
  return /^[0-9a-f]{12}$/.test(bare) && (/[:_-]/.test(text) || text.trim().length === 12) ? bare : null;
}

/** `Anna_c3d4 (AA:BB:CC:DD:EE:FF, -60 dBm), ...`: what a scan has seen, for an error message. */
export function seenText(seen: readonly BleFound[]): string {
  const radios = seen.filter(({ isMeshtastic }) => isMeshtastic);
  if (radios.length > 0) return `Meshtastic radios in reach: ${radios.map(describe).join(', ')}`;
  if (seen.length > 0) return `${seen.length} Bluetooth devices in reach, no Meshtastic radio among them`;
  return 'no Bluetooth device in reach at all';
}

function describe({ address, name, rssi }: BleFound): string {
  const strength = rssi === 0 || rssi === 127 ? '' : `, ${rssi} dBm`;
  return `${name ?? 'without name'} (${address}${strength})`;
}
