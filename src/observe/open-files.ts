import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/**
 * Processes that have one of these files open, by whatever path they reached it (a link, a container's mount). Linux
 * only, and of other users' processes only for root; elsewhere nobody is seen.
 */
export function openedBy(paths: readonly string[]): number[] {
  const wanted = paths.flatMap((path) => identityOf(path) ?? []);
  return wanted.length === 0 ? [] : processes().filter((pid) => hasOpen(pid, wanted));
}

/** Python relays (1.x) that run on this database. They know nothing of our lock, nor we of theirs: they have none. */
export function oldRelaysOn(database: string): number[] {
  const file = identityOf(database);
  return file === null ? [] : processes().filter((pid) => isOldRelay(pid) && hasOpen(pid, [file]));
}

interface FileIdentity {
  readonly name: string;
  readonly device: number;
  readonly inode: number;
}

function identityOf(path: string): FileIdentity | null {
  try {
    const { dev, ino } = statSync(path);
    return { name: basename(path), device: dev, inode: ino };
  } catch {
    return null; // not there, so nobody's
  }
}

function hasOpen(pid: number, wanted: readonly FileIdentity[]): boolean {
  const folder = `/proc/${pid}/fd`;
  return listOr(folder).some((fd) => {
    // The name first: looking at a file of a network that is away would block.
    const name = basename(linkOr(`${folder}/${fd}`));
    if (!wanted.some((file) => file.name === name)) return false;
    const open = identityOf(`${folder}/${fd}`);
    return wanted.some((file) => file.inode === open?.inode && file.device === open.device);
  });
}

/** `python3 .../bin/mmrelay` or `python3 -m mmrelay`; not somebody's script that counts rows. */
function isOldRelay(pid: number): boolean {
  const [program = '', ...rest] = textOr(`/proc/${pid}/cmdline`).split('\0');
  const script = rest.find((argument) => !argument.startsWith('-')) ?? '';
  return /^python/i.test(basename(program)) && basename(script) === 'mmrelay';
}

function processes(): number[] {
  return listOr('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid);
}

function listOr(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return []; // not Linux, another user's process, or one that has just ended
  }
}

function linkOr(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // closed in this moment
  }
}

function textOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // ended in this moment
  }
}
