import { createHash } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** A way to the control socket of a home, as listen and connect take it. */
export interface Endpoint {
  readonly path: string;
  /** To be called when the path is not needed any more. */
  close(): void;
}

/** sun_path holds 108 bytes on Linux and 104 elsewhere, with the final NUL. */
const MAX_PATH_BYTES = 103;
const NAME = 'control.sock';

/**
 * The socket lies in the home. Linux reaches it under a long path, too, through a descriptor of the folder; other systems
 * do not. On Windows it is a named pipe, which the system keeps to the same user and administrators for writing.
 * @throws what fs says when the home is not there
 */
export function openEndpoint(home: string, platform: NodeJS.Platform = process.platform): Endpoint {
  const nothing = (): void => undefined;
  if (platform === 'win32') {
    const id = createHash('sha256').update(resolve(home).toLowerCase()).digest('hex').slice(0, 16);
    return { path: `\\\\.\\pipe\\mmrelay-${id}`, close: nothing };
  }
  const path = join(home, NAME);
  if (Buffer.byteLength(path) <= MAX_PATH_BYTES || platform !== 'linux') return { path, close: nothing };
  const folder = openSync(home, constants.O_RDONLY | constants.O_DIRECTORY);
  return { path: `/proc/self/fd/${folder}/${NAME}`, close: () => closeSync(folder) };
}
