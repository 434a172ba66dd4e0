import type { BleFound, BleHub, BleLease, BleLink, BleLinkHandlers } from '../../../src/radio/ble/central.ts';

/** A Bluetooth adapter with peripherals around it, in the process. Counts what is held. */
export class ScriptedHub implements BleHub {
  peripherals: BleFound[] = [];
  /** What becomes of an attempt. */
  adapter: 'on' | 'off' | Error = 'on';
  connecting: 'accept' | 'hang' | Error = 'accept';
  leases = 0;
  links = 0;
  suspected = 0;
  mtu = 256;
  readonly written: Uint8Array[] = [];
  /** Answers to the coming reads; an Error rejects, `hang` never answers, and an empty queue is an empty read. */
  readonly toPhone: (Uint8Array | Error | 'hang')[] = [];
  /** Result of each write; absent: accepted. */
  writing: 'accept' | 'hang' | Error = 'accept';
  reads = 0;
  #handlers: BleLinkHandlers | null = null;

  async lease(): Promise<BleLease> {
    if (this.adapter instanceof Error) throw this.adapter;
    this.leases += 1;
    return {
      ready: (signal) => (this.adapter === 'off' ? aborted(signal) : Promise.resolve()),
      scan: async (onFound, signal) => {
        for (const found of this.peripherals) onFound(found);
        await aborted(signal).catch(() => undefined);
      },
      connect: (_found, handlers, signal) => this.#connect(handlers, signal),
      release: async (isSuspect) => {
        this.leases -= 1;
        if (isSuspect) this.suspected += 1;
      },
    };
  }

  notify(): void {
    this.#handlers?.onNotify();
  }

  lose(text = 'the Bluetooth link was lost (out of reach or switched off)'): void {
    const handlers = this.#handlers;
    this.#end();
    handlers?.onLost(text);
  }

  async #connect(handlers: BleLinkHandlers, signal: AbortSignal): Promise<BleLink> {
    if (this.connecting instanceof Error) throw this.connecting;
    if (this.connecting === 'hang') await aborted(signal);
    this.#handlers = handlers;
    this.links += 1;
    return {
      mtu: this.mtu,
      read: async () => {
        this.reads += 1;
        const next = this.toPhone.shift() ?? new Uint8Array(0);
        if (next instanceof Error) throw next;
        return next === 'hang' ? new Promise<never>(() => undefined) : next;
      },
      write: async (bytes) => {
        if (this.writing instanceof Error) throw this.writing;
        if (this.writing === 'hang') await new Promise<never>(() => undefined);
        this.written.push(bytes);
      },
      disconnect: async () => this.#end(),
    };
  }

  #end(): void {
    if (this.#handlers !== null) this.links -= 1;
    this.#handlers = null;
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = (): void => reject(new Error('cancelled'));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
