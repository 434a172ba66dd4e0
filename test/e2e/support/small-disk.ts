import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** A disk in memory at a folder, seen only by processes that `wrapper` starts. */
export interface SmallDisk {
  /** Words before a command that make it see the disk. */
  readonly wrapper: readonly string[];
  /** Leaves not a byte free. */
  fill(): void;
  /** Frees what `fill` took. */
  free(): void;
  close(): Promise<void>;
}

/** Whether this machine lets us have one. */
export const canMount =
  spawnSync('unshare', ['-rm', 'sh', '-c', 'mount -t tmpfs -o size=64k none /mnt && command -v nsenter']).status === 0;

/** The disk lives as long as the process that holds its mount, so it outlives those that write to it. */
export async function smallDisk(folder: string, sizeKib: number): Promise<SmallDisk> {
  const line = `mount -t tmpfs -o size=${sizeKib}k none '${folder}' && echo mounted && exec cat`;
  const holder: ChildProcess = spawn('unshare', ['-rm', 'sh', '-c', line], { stdio: ['pipe', 'pipe', 'inherit'] });
  if (holder.stdout === null) throw new Error('no stdout');
  await once(holder.stdout, 'data');
  const wrapper = ['nsenter', '--preserve-credentials', '-U', '-m', '-t', String(holder.pid)];
  const shell = (words: string): void => {
    spawnSync(wrapper[0] ?? '', [...wrapper.slice(1), 'sh', '-c', words]);
  };
  return {
    wrapper,
    fill: () => shell(`cat /dev/zero > '${folder}/filler'`),
    free: () => shell(`rm '${folder}/filler'`),
    close: async () => {
      const closed = once(holder, 'close');
      holder.kill();
      await closed;
    },
  };
}
