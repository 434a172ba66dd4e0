import { randomBytes } from 'node:crypto';
import { notFound } from './matrix-error.ts';

export interface MediaItem {
  readonly bytes: Uint8Array;
  readonly contentType: string;
  readonly fileName: string | null;
}

/** Uploads, in memory. One per homeserver. */
export class Media {
  readonly #serverName: string;
  readonly #items = new Map<string, MediaItem>();

  constructor(serverName: string) {
    this.#serverName = serverName;
  }

  /** Returns the mxc URI. */
  put(item: MediaItem): string {
    const id = randomBytes(18).toString('base64url');
    this.#items.set(id, item);
    return `mxc://${this.#serverName}/${id}`;
  }

  need(serverName: string, id: string): MediaItem {
    const item = serverName === this.#serverName ? this.#items.get(id) : undefined;
    if (item === undefined) throw notFound('Not found');
    return item;
  }
}
