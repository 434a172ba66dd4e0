import { closeSync, fchmodSync, fstatSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { errorCode } from '../util/relay-error.ts';

export interface LogFileOptions {
  readonly path: string;
  readonly maxBytes: number;
  /** Rotated files to keep: `path.1` is the youngest. */
  readonly backupCount: number;
  /** Told once per kind of trouble; the daemon goes on without the file. */
  readonly onError: (error: unknown) => void;
}

/**
 * A log file with rotation by size. One per daemon. Holds an open file descriptor. Invariants: mode 0600, never throws,
 * a line is never split between two files.
 */
export class LogFile {
  readonly #options: LogFileOptions;
  #fd: number | null = null;
  #bytes = 0;
  #failed = false;

  constructor(options: LogFileOptions) {
    this.#options = options;
    this.#guard(() => this.#open());
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    this.#guard(() => {
      if (this.#bytes > 0 && this.#bytes + bytes > this.#options.maxBytes) this.#rotate();
      if (this.#fd === null) this.#open();
      if (this.#fd === null) return;
      writeSync(this.#fd, line);
      this.#bytes += bytes;
      this.#failed = false;
    });
  }

  close(): void {
    const fd = this.#fd;
    this.#fd = null;
    if (fd !== null) this.#guard(() => closeSync(fd));
  }

  #open(): void {
    mkdirSync(dirname(this.#options.path), { recursive: true, mode: 0o700 });
    const fd = openSync(this.#options.path, 'a', 0o600);
    this.#fd = fd;
    const stat = fstatSync(fd);
    this.#bytes = stat.size;
    // Devices and files of somebody else (a shared /dev/stderr) keep their mode.
    if (stat.isFile() && stat.uid === process.getuid?.()) fchmodSync(fd, 0o600);
  }

  #rotate(): void {
    const { path, backupCount } = this.#options;
    this.close();
    rmSync(backupCount === 0 ? path : `${path}.${backupCount}`, { force: true });
    for (let index = backupCount; index > 0; index -= 1) {
      moveIfThere(index === 1 ? path : `${path}.${index - 1}`, `${path}.${index}`);
    }
    this.#open();
  }

  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!this.#failed) this.#options.onError(error);
      this.#failed = true;
    }
  }
}

function moveIfThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}
