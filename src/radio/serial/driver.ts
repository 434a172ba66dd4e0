/** What the serial transport needs from an operating system; `serialport` implements it, tests script it. */

export interface SerialLinkHandlers {
  onBytes(bytes: Uint8Array): void;
  /** The device went away or failed; once, and never after `close`. */
  onClose(text: string): void;
}

export interface SerialLink {
  /** Resolves when the operating system took the bytes; rejects when the port closes first. */
  write(bytes: Uint8Array): Promise<void>;
  /** Resolves when the port may be opened again. */
  close(): Promise<void>;
}

export interface SerialDriver {
  /** Opens at 115200 8N1, for ourselves alone. @throws Error with the operating system's words in its message */
  open(path: string, handlers: SerialLinkHandlers): Promise<SerialLink>;
}
