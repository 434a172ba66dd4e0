import { mkdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';

export interface ReadyFileOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Between two touches; null: written once. */
  readonly heartbeatMs: number | null;
  /** True while event loop, store and lanes move. Without it the file ages, and the liveness probe acts. */
  readonly alive: () => boolean;
  /** What the file says, beside pid and start time. Plain JSON. */
  readonly describe: () => Readonly<Record<string, unknown>>;
  readonly pid: number;
}

/**
 * The file probes look at. One per daemon. Invariants: it exists only between `show` and `stop`, is always whole (0600,
 * renamed into place), and its time moves only while `alive` says so. Folders that exist are never changed.
 */
export class ReadyFile {
  readonly #options: ReadyFileOptions;
  readonly #startedMs: number;
  #shown = false;
  #written = '';
  #stale = false;
  #cancel: () => void = () => undefined;

  /** Removes what a killed predecessor left: construct it first thing. */
  constructor(options: ReadyFileOptions) {
    this.#options = options;
    this.#startedMs = options.clock.now();
    this.#remove();
  }

  /** The relay is ready: writes the file and starts the heartbeat. Further calls bring the content up to date. */
  show(): void {
    const first = !this.#shown;
    this.#shown = true;
    this.#write();
    if (first) this.#schedule();
  }

  /** Brings the content up to date, if the file is there. */
  update(): void {
    if (this.#shown) this.#write();
  }

  /** Removes the file for good. First step of a stop. */
  stop(): void {
    this.#shown = false;
    this.#cancel();
    this.#remove();
  }

  #schedule(): void {
    const { heartbeatMs, clock } = this.#options;
    if (heartbeatMs === null) return;
    this.#cancel = clock.after(
      heartbeatMs,
      () => {
        this.#beat();
        this.#schedule();
      },
      { background: true },
    );
  }

  #beat(): void {
    const alive = this.#options.alive();
    if (alive) {
      this.#write();
      this.#touch();
    } else if (!this.#stale) {
      this.#options.logger.warn('the ready file is no longer touched: the relay does not make progress');
    }
    this.#stale = !alive;
  }

  #content(): string {
    const { pid, describe } = this.#options;
    return `${JSON.stringify({ pid, started: new Date(this.#startedMs).toISOString(), ...describe() })}\n`;
  }

  /** Writes when the content changed or the file is gone. */
  #write(): void {
    const { path, pid } = this.#options;
    const content = this.#content();
    const temporary = join(dirname(path), `.${basename(path)}.${pid}.tmp`);
    this.#guard('the ready file cannot be written', () => {
      if (content === this.#written && statSync(path, { throwIfNoEntry: false }) !== undefined) return;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      rmSync(temporary, { force: true });
      writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
      renameSync(temporary, path);
      this.#written = content;
    });
  }

  #touch(): void {
    const now = new Date(this.#options.clock.now());
    this.#guard('the ready file cannot be touched', () => utimesSync(this.#options.path, now, now));
  }

  #remove(): void {
    this.#written = '';
    this.#guard('the ready file cannot be removed', () => rmSync(this.#options.path, { force: true }));
  }

  #guard(message: string, action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#options.logger.error(message, { path: this.#options.path, error });
    }
  }
}
