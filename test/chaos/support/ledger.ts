import type { DevicePacket } from '../../../src/radio/codec/device-packet.ts';

/**
 * What became of the texts that a mesh said, for the judgement at the end.
 *
 * What counts as lost between radio and relay: the protocol has no acknowledgement of what a radio hands to its client;
 * the firmware forgets a packet once it is written to the socket. What a process had not read (or not yet stored) when
 * it was killed, or when the radio reset the connection, is gone with the socket, whatever program reads it. Such a text
 * must therefore be among the very last that were written to that one connection, with nothing behind it that arrived,
 * and the write must be younger than `IN_FLIGHT_MS` at the end of the connection. All others must arrive exactly once.
 */
export interface MeshText {
  readonly body: string;
  readonly room: number;
  readonly packetId: number;
}

export interface HandedOver {
  readonly connection: number;
  readonly atMs: number;
}

export interface Verdict {
  readonly lost: readonly string[];
  readonly duplicated: readonly string[];
  readonly reordered: readonly string[];
}

/** Real milliseconds between the write and the end of the connection. */
const IN_FLIGHT_MS = 1_000;

export class Ledger {
  readonly texts: MeshText[] = [];
  readonly #byPacket = new Map<number, MeshText>();
  readonly #handedOver = new Map<string, HandedOver>();
  readonly #order = new Map<number, string[]>();
  readonly #ends = new Map<number, number>();

  spoken(text: MeshText): void {
    this.texts.push(text);
    this.#byPacket.set(text.packetId, text);
  }

  /** For `onHandedOver` of the virtual radio. */
  handedOver(packet: DevicePacket, connection: number): void {
    const text = this.#byPacket.get(packet.id);
    if (text === undefined) return;
    this.#handedOver.set(text.body, { connection, atMs: performance.now() });
    const written = this.#order.get(connection) ?? [];
    written.push(text.body);
    this.#order.set(connection, written);
  }

  /** The connection ended by a kill of the process or a reset of the radio. */
  ended(connection: number): void {
    if (!this.#ends.has(connection)) this.#ends.set(connection, performance.now());
  }

  /** Texts that went down with a socket, see above. */
  inFlight(arrived: ReadonlySet<string>): ReadonlySet<string> {
    const gone = new Set<string>();
    for (const [connection, bodies] of this.#order) {
      const endedMs = this.#ends.get(connection);
      if (endedMs === undefined) continue;
      for (const body of bodies.toReversed()) {
        const writtenMs = this.#handedOver.get(body)?.atMs ?? 0;
        if (arrived.has(body) || endedMs - writtenMs > IN_FLIGHT_MS) break;
        gone.add(body);
      }
    }
    return gone;
  }
}

/** Compares what was said with what was heard, in one room. */
export function judge(said: readonly string[], heard: readonly string[]): Verdict {
  const first = [...new Set(heard)];
  const place = new Map(said.map((body, index) => [body, index]));
  const known = first.filter((body) => place.has(body));
  return {
    lost: said.filter((body) => !known.includes(body)),
    duplicated: heard.filter((body, index) => heard.indexOf(body) !== index),
    reordered: known.filter(
      (body, index) => index > 0 && (place.get(body) ?? 0) < (place.get(known[index - 1] ?? '') ?? 0),
    ),
  };
}
