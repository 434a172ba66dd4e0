/** Every node hears it (Meshtastic firmware: NODENUM_BROADCAST). */
export const BROADCAST = 0xffffffff;

/** `!` and eight hex digits, the way every Meshtastic client writes a node number. */
export function nodeId(num: number): string {
  return `!${(num >>> 0).toString(16).padStart(8, '0')}`;
}

/** The number behind `!a1b2c3d4`; null when it is not a node id. */
export function parseNodeId(text: string): number | null {
  return /^![0-9a-f]{1,8}$/i.test(text) ? Number.parseInt(text.slice(1), 16) : null;
}
