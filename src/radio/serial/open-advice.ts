import { readdir, readFile, readlink, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { SerialDevice, SystemRoots } from './ports.ts';

/** A process that has the port open. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

/** Other processes that have the device open, as far as we may see them (Linux; all of them when root). */
export async function portHolders(roots: SystemRoots, path: string, ownPid: number): Promise<readonly PortHolder[]> {
  const target = await realpath(path).catch(() => null); // Gone: nobody holds it.
  if (target === null) return [];
  const pids = (await readdir(roots.proc).catch(() => [])).filter((name) => /^\d+$/.test(name)); // No /proc: not Linux.
  const holders: PortHolder[] = [];
  for (const pid of pids) {
    if (Number(pid) === ownPid || !(await holds(join(roots.proc, pid, 'fd'), target))) continue;
    const name = await readFile(join(roots.proc, pid, 'comm'), 'utf8').catch(() => '?'); // It has just ended.
    holders.push({ pid: Number(pid), name: name.trim() });
  }
  return holders;
}

async function holds(fdFolder: string, target: string): Promise<boolean> {
  const files = await readdir(fdFolder).catch(() => []); // Another user's process, or one that has just ended.
  for (const file of files) {
    const link = await readlink(join(fdFolder, file)).catch(() => null); // Closed in the meantime.
    if (link === target) return true;
  }
  return false;
}

/** `used by python3 (pid 4711)`: what to say when somebody else has the port. */
export function busyText(holders: readonly PortHolder[]): string {
  const names = holders.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ');
  const who = names === '' ? 'another program' : names;
  return `the port is used by ${who}; a serial port serves one program at a time, so end that one first`;
}

/** What to say when the operating system forbids opening `path`. */
export async function forbiddenText(roots: SystemRoots, path: string): Promise<string> {
  const gid = await stat(path).then(
    (info) => info.gid,
    () => null, // Not even visible: only the general advice is left.
  );
  if (gid === null) return 'permission denied';
  const group = await groupName(roots, gid);
  const asNamed = group === null ? `group ${gid}` : `group ${group}`;
  return (
    `permission denied: it belongs to ${asNamed}. Add the user of the relay to it ` +
    `(sudo usermod -aG ${group ?? gid} "$USER", then log in again); ` +
    `in a container: --device ${path} --group-add ${gid}`
  );
}

async function groupName(roots: SystemRoots, gid: number): Promise<string | null> {
  const text = await readFile(join(roots.etc, 'group'), 'utf8').catch(() => ''); // No such file: numbers will do.
  for (const line of text.split('\n')) {
    const [name, , id] = line.split(':');
    if (name !== undefined && id === String(gid)) return name;
  }
  return null;
}

/** What to say when `path` is not there: names the ports that are, by the names to prefer. */
export function absentText(ports: readonly SerialDevice[]): string {
  const likely = ports.filter(({ board }) => board !== null);
  const shown = (likely.length > 0 ? likely : ports).map(({ path, byId }) => byId ?? path);
  const advice =
    shown.length === 0
      ? 'no USB serial port is there at all (in a container it must be passed in with --device)'
      : `there is ${shown.join(', ')}`;
  return `no such port (is the radio plugged in?); ${advice}`;
}
