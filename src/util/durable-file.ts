import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Makes names in a folder durable; file systems that cannot (Windows, some network mounts) answer with an error. */
export function syncFolder(folder: string): void {
  try {
    const handle = openSync(folder, 'r');
    try {
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
  } catch {
    // Best effort: the data of the file itself is synced separately.
  }
}
