import type { Packet } from '../../src/plugins/api.ts';

const KEEP_MS = 3_600_000;
const MAX_KEPT = 2_000;

type Side = 'mesh' | 'room';
type Passing = Pick<Packet, 'radio' | 'channel' | 'portName' | 'payload'>;

/**
 * Remembers for an hour what crossed, by its content: a packet changes sender and id on its way through other meshes, never
 * its payload. One per plugin. Invariant: what came out of the room does not go back into it, and what one mesh had is
 * not sent to it again, so a packet cannot go round in circles.
 */
export class PassedPackets {
  readonly #kept = new Map<string, { readonly side: Side; readonly atMs: number }>();

  /** Notes a packet of the mesh. @returns true when it may go into the room */
  fromMesh(packet: Passing, nowMs: number): boolean {
    const key = keyOf(packet);
    if (this.#side(key, nowMs) === 'room') return false;
    // A node may say the same again: the room hears it again.
    this.#keep(key, 'mesh', nowMs);
    return true;
  }

  /** Notes a packet of the room. @returns true when it may go to the mesh */
  fromRoom(packet: Passing, nowMs: number): boolean {
    const key = keyOf(packet);
    if (this.#side(key, nowMs) !== null) return false;
    this.#keep(key, 'room', nowMs);
    return true;
  }

  #side(key: string, nowMs: number): Side | null {
    const kept = this.#kept.get(key);
    return kept === undefined || Math.abs(nowMs - kept.atMs) > KEEP_MS ? null : kept.side;
  }

  #keep(key: string, side: Side, atMs: number): void {
    this.#kept.delete(key);
    this.#kept.set(key, { side, atMs });
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= MAX_KEPT) break;
      this.#kept.delete(oldest);
    }
  }
}

function keyOf({ radio, channel, portName, payload }: Passing): string {
  return `${radio}/${channel}/${portName}/${Buffer.from(payload).toString('base64')}`;
}
