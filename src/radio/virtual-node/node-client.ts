/** One client of the virtual node, whatever way it came. */
export interface NodeClient {
  /** Unique among the clients there are. */
  readonly name: string;
  readonly address: string;
  /** It asked for the configuration: from then on it gets what the radio says. */
  isListening: boolean;
  /** The want_config that waits until the radio has told its configuration; null for none. */
  awaitedNonce: number | null;
  /** It was told in words that it may not change settings: once is enough. */
  isToldOfAdmin: boolean;
  /** Gives it FromRadio protobufs, in order. */
  send(payloads: readonly Uint8Array[]): void;
  /** Ends it after what was given. */
  close(reason: string): void;
  /** Ends it now. */
  destroy(): void;
}

export interface ClientHandlers {
  /** One ToRadio of the client. */
  readonly onRequest: (payload: Uint8Array, client: NodeClient) => void;
  /** Once, whatever ended it. */
  readonly onClosed: (client: NodeClient, reason: string) => void;
}

/** A whole configuration with 2000 nodes is a third of this; a client that lets more pile up does not read. */
export const MAX_UNREAD_BYTES = 1_048_576;
export const UNREAD = 'it did not read what the radio said';
export const NODE_STOPS = 'the virtual node stops';
