/** A radio that is there to be used, however it was found. */
export interface FoundRadio {
  readonly kind: 'tcp' | 'serial' | 'ble';
  /** What to write into the configuration: host (with `:port` when it is not 4403), device or address. */
  readonly target: string;
  /** Name of the node, or of the device; null when it does not tell. */
  readonly name: string | null;
  /** Only known when the radio was asked. */
  readonly firmware: string | null;
  /** Board, signal strength and the like, for people. */
  readonly detail: string | null;
  /** null: free. Otherwise who uses it, as `used by python3 (pid 4711)`. */
  readonly busy: string | null;
}
