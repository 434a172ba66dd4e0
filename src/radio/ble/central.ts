/** What the BLE transport needs from a Bluetooth stack; noble implements it, tests script it. */

/** Meshtastic GATT profile (mesh.proto, BLUETOOTH.md): 128-bit UUIDs without dashes, as noble writes them. */
export const MESHTASTIC_GATT = {
  service: '6ba1b21815a8461f9fa85dcae273eafd',
  /** Written with one ToRadio protobuf. */
  toRadio: 'f75c76d2129e4dada1dd7866124401e7',
  /** Read: one FromRadio protobuf, or nothing when there is none. */
  fromRadio: '2c55e69e499311edb8780242ac120002',
  /** Notifies when fromRadio has something. */
  fromNum: 'ed9da18ca8004f66a670aa7547e34453',
} as const;

/** A peripheral in reach that offers the Meshtastic service, or that was asked for by address. */
export interface BleFound {
  /** As AA:BB:CC:DD:EE:FF; on systems that hide addresses, their own id. */
  readonly address: string;
  /** Advertised name, as `Anna_c3d4`; null while unknown. */
  readonly name: string | null;
  /** dBm; 0 when unknown. */
  readonly rssi: number;
  readonly isMeshtastic: boolean;
}

export interface BleLinkHandlers {
  /** fromNum changed: there is something to read. */
  onNotify(): void;
  /** Once, and never after `disconnect`. */
  onLost(text: string): void;
}

/** An open GATT connection to a Meshtastic radio, subscribed to fromNum. */
export interface BleLink {
  /** Negotiated ATT MTU in bytes; null where the system keeps it to itself. */
  readonly mtu: number | null;
  /** The next FromRadio protobuf; empty when there is none. */
  read(): Promise<Uint8Array>;
  /** One ToRadio protobuf, with response. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the radio is free for the next client. */
  disconnect(): Promise<void>;
}

/**
 * The use of the Bluetooth adapter by one transport, from opening to closing. Every wait ends when its signal aborts.
 * Errors are plain Errors whose message tells the operator what to do.
 */
export interface BleLease {
  /** Resolves when the adapter is on. */
  ready(signal: AbortSignal): Promise<void>;
  /** Calls back for each peripheral, again when more is known of it, until the signal aborts. */
  scan(onFound: (found: BleFound) => void, signal: AbortSignal): Promise<void>;
  /** Connects to a peripheral that this lease has found. */
  connect(found: BleFound, handlers: BleLinkHandlers, signal: AbortSignal): Promise<BleLink>;
  /** Gives the adapter back; `isSuspect` when it did not do its work and should be opened afresh. */
  release(isSuspect: boolean): Promise<void>;
}

/** Hands out the adapter. One per process, whatever the number of radios. */
export interface BleHub {
  /** @throws Error when there is no usable Bluetooth software */
  lease(): Promise<BleLease>;
}
