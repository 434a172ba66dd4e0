/**
 * Map tiles on disk, so that a tile server is asked once a week for a place at most (its rules ask for that). One per
 * map plugin. Invariant: after `trim` the folder holds no more than its limit, the longest unused tiles go first.
 */

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface CachedTile {
  readonly data: Uint8Array;
  /** Younger than a week. */
  readonly fresh: boolean;
}

const FRESH_MS = 7 * 86_400_000;

export class TileCache {
  readonly #folder: string;
  readonly #maxBytes: number;
  readonly #now: () => number;

  constructor(options: {
    readonly folder: string;
    /** Tiles of another server are other tiles. */
    readonly source: string;
    readonly maxBytes: number;
    readonly now: () => number;
  }) {
    const source = createHash('sha256').update(options.source).digest('hex').slice(0, 12);
    this.#folder = join(options.folder, `tiles-${source}`);
    this.#maxBytes = options.maxBytes;
    this.#now = options.now;
  }

  /** null when it is not there. */
  async get(key: string): Promise<CachedTile | null> {
    const path = this.#path(key);
    try {
      const [data, { mtimeMs }] = await Promise.all([readFile(path), stat(path)]);
      const now = this.#now();
      // The access time counts for the trimming, the modification time for the age.
      await utimes(path, now / 1000, mtimeMs / 1000);
      return { data, fresh: now - mtimeMs < FRESH_MS };
    } catch {
      // Not there, or not readable: it is fetched instead.
      return null;
    }
  }

  /** @throws Error when the disk does not take it */
  async put(key: string, data: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const path = this.#path(key);
    const unfinished = `${path}.part`;
    await writeFile(unfinished, data);
    const now = this.#now() / 1000;
    await utimes(unfinished, now, now);
    await rename(unfinished, path);
  }

  /** Deletes the longest unused tiles until the rest fits. */
  async trim(): Promise<void> {
    const names = await readdir(this.#folder).catch(() => []);
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        const { size, atimeMs } = await stat(path);
        return { path, size, atimeMs };
      }),
    );
    let bytes = files.reduce((sum, { size }) => sum + size, 0);
    for (const { path, size } of files.sort((a, b) => a.atimeMs - b.atimeMs)) {
      if (bytes <= this.#maxBytes) break;
      await rm(path, { force: true });
      bytes -= size;
    }
  }

  #path(key: string): string {
    return join(this.#folder, key);
  }
}
