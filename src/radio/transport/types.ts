/** How a transport ended other than by our own `close`. */
export interface CloseReason {
  /** `peer`: the other side closed in good order, or reset the link. `failed`: the link broke. */
  readonly kind: 'peer' | 'failed';
  /** Plain words for the operator. */
  readonly text: string;
}

export interface TransportHandlers {
  /** `stream`: any split of the framed byte stream. `packet`: exactly one protobuf, without stream header. */
  onBytes(bytes: Uint8Array): void;
  /** At most once, after a successful open, and not after `close`. No bytes follow. */
  onClose(reason: CloseReason): void;
}

/** A single-use duplex to one radio: opened once, closed once, then thrown away. */
export interface Transport {
  readonly framing: 'stream' | 'packet';
  /** For logs and reasons, as `tcp 192.0.2.7:4403`. */
  readonly label: string;
  /**
   * Resolves when bytes can flow. Gives up by itself within its connect timeout, and at once when `signal` aborts;
   * after a failed open nothing is left open and no handler is called.
   * @throws RelayError RADIO_UNREACHABLE (later); its message tells the operator what to look at
   */
  open(handlers: TransportHandlers, signal: AbortSignal): Promise<void>;
  /**
   * Resolves when the operating system took the bytes; writes keep their order.
   * @throws RelayError RADIO_WRITE_FAILED (later, uncertain), also for writes under way when the link closes
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the device may be opened again. No handler is called from now on. May be called at any time, twice too. */
  close(): Promise<void>;
}

/** Where a radio is reached. */
export interface TcpAddress {
  readonly type: 'tcp';
  readonly host: string;
  readonly port: number;
}

/** Makes a fresh transport for each attempt. */
export type TransportFactory = () => Transport;
