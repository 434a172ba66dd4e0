import type { GuestPacket, MeshPacket, RadioPort } from '../relay/ports.ts';
import type { FromRadioMessage } from './codec/from-radio.ts';

/** Listens to one radio beside the relay. Calls come in the order of the bytes and must not throw. */
export interface RadioTap {
  /** A FromRadio as it came, with what we read in it; the relay gets it next. */
  onFrame(payload: Uint8Array, message: FromRadioMessage): void;
  /** A packet of the relay (ToRadio) is given to the transport; QueueStatus tells whether the radio takes it. */
  onSent(packetId: number, payload: Uint8Array): void;
}

/** A radio that others can share with the relay. */
export interface SharedRadio extends RadioPort {
  /** The returned function ends it. Several may listen. */
  tap(listener: RadioTap): () => void;
  /** Hands the relay a packet that went out through this radio past its own lane, as if it had been heard. */
  hearOwn(packet: MeshPacket): void;
  sendGuest(packet: GuestPacket): Promise<void>;
  /** Gives the radio a request (ToRadio) that is no packet; while there is no link it is forgotten. */
  pass(toRadio: Uint8Array): void;
  /** Has the radio tell its configuration again, and listeners with it. */
  refresh(): void;
  release(forMs: number | null): Promise<void>;
  claim(): void;
}
