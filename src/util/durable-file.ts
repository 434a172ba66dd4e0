import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';

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

/** Replaces a file in one step, 0600, on disk when this returns; when it throws, the old file is there and nothing else. */
export function writeFileDurably(path: string, content: string | Uint8Array): void {
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    writeDraft(temporary, typeof content === 'string' ? Buffer.from(content) : content);
    renameSync(temporary, path);
  } catch (error) {
    discard(temporary);
    throw error;
  }
  syncFolder(dirname(path));
}

function writeDraft(path: string, bytes: Uint8Array): void {
  rmSync(path, { force: true });
  const file = openSync(path, 'wx', 0o600);
  try {
    for (let done = 0; done < bytes.byteLength; ) done += writeSync(file, bytes, done);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

function discard(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // The folder itself is the trouble, which the caller is about to tell.
  }
}
