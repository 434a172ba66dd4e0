import { execFile } from 'node:child_process';
import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';

/** Runs a program to its end; rejects when it cannot be run or fails. */
export type RunProgram = (
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
) => Promise<void>;

export interface SdNotifyOptions {
  /** NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID and PATH of the process. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The watchdog is fed only while this says so. */
  readonly alive: () => boolean;
  readonly run?: RunProgram;
}

/**
 * Tells systemd how we are (Type=notify). Node cannot open a Unix datagram socket, so `systemd-notify` speaks for us:
 * the unit needs `NotifyAccess=all`. Without NOTIFY_SOCKET every call does nothing. One per daemon; holds the watchdog
 * timer. Never throws.
 */
export class SdNotify {
  readonly #options: SdNotifyOptions;
  readonly #run: RunProgram;
  readonly #socket: string | null;
  #cancel: () => void = () => undefined;
  #complained = false;

  constructor(options: SdNotifyOptions) {
    this.#options = options;
    this.#run = options.run ?? runProgram;
    const socket = options.env.NOTIFY_SOCKET;
    this.#socket = socket === undefined || socket === '' ? null : socket;
  }

  /** Ready: systemd goes on, and the watchdog is fed from now on. */
  async ready(status: string): Promise<void> {
    await this.#send(['READY=1', statusLine(status)]);
    const periodMs = this.#watchdogMs();
    if (periodMs !== null) this.#feed(periodMs);
  }

  async status(status: string): Promise<void> {
    await this.#send([statusLine(status)]);
  }

  async stopping(): Promise<void> {
    this.#cancel();
    await this.#send(['STOPPING=1']);
  }

  /** Half of what systemd allows; null when it does not watch this process. */
  #watchdogMs(): number | null {
    const usec = Number(this.#options.env.WATCHDOG_USEC);
    const watched = this.#options.env.WATCHDOG_PID;
    if (!Number.isFinite(usec) || usec <= 0 || this.#socket === null) return null;
    if (watched !== undefined && watched !== String(this.#options.pid)) return null;
    return usec / 2000;
  }

  #feed(periodMs: number): void {
    this.#cancel = this.#options.clock.after(
      periodMs,
      () => {
        if (this.#options.alive()) void this.#send(['WATCHDOG=1']);
        this.#feed(periodMs);
      },
      { background: true },
    );
  }

  async #send(lines: readonly string[]): Promise<void> {
    if (this.#socket === null) return;
    const { env, logger } = this.#options;
    try {
      // It waits until systemd has read the message, so that systemd still finds the sender's unit.
      await this.#run('systemd-notify', lines, {
        NOTIFY_SOCKET: this.#socket,
        PATH: env.PATH ?? '/usr/bin:/bin',
      });
      this.#complained = false;
    } catch (error) {
      if (!this.#complained) logger.warn('systemd cannot be told how we are', { error });
      this.#complained = true;
    }
  }
}

function statusLine(text: string): string {
  return `STATUS=${text.replace(/\s+/g, ' ')}`;
}

const TIMEOUT_MS = 3000;

function runProgram(program: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<void> {
  return new Promise((resolve, reject) => {
    execFile(program, [...args], { env, timeout: TIMEOUT_MS }, (error) => (error === null ? resolve() : reject(error)));
  });
}
