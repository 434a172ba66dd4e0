import {
  linkSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { Clock } from '../util/clock.ts';
import { errorCode } from '../util/relay-error.ts';

/** Who holds a home. */
export interface LockOwner {
  readonly pid: number;
  /** Changes at every boot of the machine; '' where it cannot be known. */
  readonly bootId: string;
  /** Start of the process in ticks since boot; tells a reused pid from the old one; '' where it cannot be known. */
  readonly startTicks: string;
  /** Pids of another namespace (a container) say nothing here; '' where it cannot be known. */
  readonly pidNamespace: string;
  readonly host: string;
  /** ISO time, for people. */
  readonly since: string;
}

/** What the lock needs to know of processes; real by default, made up in tests. */
export interface ProcessFacts {
  self(sinceMs: number): LockOwner;
  /** The start ticks of a live process of our own namespace ('' when unknown); null when there is none. */
  alive(pid: number): string | null;
}

export type LockResult =
  | { readonly ok: true; readonly lock: ProcessLock }
  | {
      readonly ok: false;
      readonly owner: LockOwner;
      /** The holder cannot be seen from here (another container): try again after this time. null: it lives. */
      readonly retryAfterMs: number | null;
    };

export interface ProcessLock {
  /** Gives the home free. */
  release(): void;
}

export interface LockOptions {
  readonly path: string;
  readonly clock: Clock;
  readonly facts?: ProcessFacts;
}

/** The holder touches the file this often, for those who cannot see its process. */
const TOUCH_MS = 5000;
const FRESH_MS = 15_000;

/**
 * Takes a home for this process. A lock whose holder is dead (crash, reboot, reused pid) is taken over; a holder in
 * another container or on another machine counts as alive while it touches the file.
 * @throws what fs says when the folder cannot be written
 */
export function acquireLock(options: LockOptions): LockResult {
  const { path, clock } = options;
  const facts = options.facts ?? systemFacts;
  const self = facts.self(clock.now());
  const content = `${JSON.stringify(self)}\n`;
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  for (let round = 0; round < 5; round += 1) {
    if (create(path, content, self.pid)) return { ok: true, lock: hold(path, content, clock) };
    const seen = readText(path);
    if (seen === null) continue; // given free in this moment
    const owner = parseOwner(seen);
    const age = ageMs(path, clock);
    if (owner !== null && isHeld(owner, { self, facts, ageMs: age })) {
      return { ok: false, owner, retryAfterMs: isVisible(owner, self) ? null : Math.max(1, FRESH_MS - age) };
    }
    removeStale(path, seen, self.pid);
  }
  return { ok: false, owner: parseOwner(readText(path) ?? '') ?? { ...self, pid: 0 }, retryAfterMs: FRESH_MS };
}

/** Who holds the home now; null when nobody does. For the command line: changes nothing. */
export function lockOwner(options: LockOptions): LockOwner | null {
  const facts = options.facts ?? systemFacts;
  const owner = parseOwner(readText(options.path) ?? '');
  if (owner === null) return null;
  const self = facts.self(options.clock.now());
  return isHeld(owner, { self, facts, ageMs: ageMs(options.path, options.clock) }) ? owner : null;
}

function isHeld(
  owner: LockOwner,
  context: { readonly self: LockOwner; readonly facts: ProcessFacts; readonly ageMs: number },
): boolean {
  const { self, facts } = context;
  if (isVisible(owner, self)) {
    const ticks = facts.alive(owner.pid);
    return ticks !== null && (ticks === '' || owner.startTicks === '' || ticks === owner.startTicks);
  }
  if (owner.host === self.host && owner.bootId !== self.bootId) return false; // this machine has booted since
  return context.ageMs < FRESH_MS;
}

/** Same machine, same boot, same pid namespace: its process can be looked up. */
function isVisible(owner: LockOwner, self: LockOwner): boolean {
  const sameMachine = owner.host === self.host || (owner.bootId !== '' && owner.bootId === self.bootId);
  return sameMachine && owner.bootId === self.bootId && owner.pidNamespace === self.pidNamespace;
}

/** Creates the file with its content in one step; false when there is one. */
function create(path: string, content: string, pid: number): boolean {
  const temporary = `${path}.${pid}.tmp`;
  rmSync(temporary, { force: true });
  writeFileSync(temporary, content, { mode: 0o600, flag: 'wx' });
  try {
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    return createWithoutLinks(path, content); // FAT and some network file systems have no hard links
  } finally {
    rmSync(temporary, { force: true });
  }
}

function createWithoutLinks(path: string, content: string): boolean {
  try {
    writeFileSync(path, content, { mode: 0o600, flag: 'wx' });
    return true;
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Takes the dead lock away, unless somebody else replaced it since we looked. */
function removeStale(path: string, seen: string, pid: number): void {
  const aside = `${path}.${pid}.stale`;
  try {
    renameSync(path, aside);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return;
    throw error;
  }
  if (readText(aside) !== seen) {
    try {
      linkSync(aside, path);
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
  }
  rmSync(aside, { force: true });
}

function hold(path: string, content: string, clock: Clock): ProcessLock {
  let cancel: () => void = () => undefined;
  const touch = (): void => {
    cancel = clock.after(TOUCH_MS, touch, { background: true });
    const now = new Date(clock.now());
    try {
      utimesSync(path, now, now);
    } catch {
      // Removed by hand: the lock protects nothing any more, but stopping the relay for it would be worse.
    }
  };
  touch();
  return {
    release: () => {
      cancel();
      if (readText(path) === content) rmSync(path, { force: true });
    },
  };
}

function ageMs(path: string, clock: Clock): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? Number.POSITIVE_INFINITY : Math.abs(clock.now() - stat.mtimeMs);
}

function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // ENOTDIR: the home is a file, so nothing can run on it.
    if (['ENOENT', 'ENOTDIR'].includes(errorCode(error))) return null;
    throw error;
  }
}

function parseOwner(text: string): LockOwner | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('pid' in value) || !Number.isInteger(value.pid)) return null;
    const field = (name: string): string => String(Reflect.get(value, name) ?? '');
    const [bootId, startTicks, pidNamespace] = [field('bootId'), field('startTicks'), field('pidNamespace')];
    return { pid: Number(value.pid), bootId, startTicks, pidNamespace, host: field('host'), since: field('since') };
  } catch {
    return null; // torn or foreign: nobody's lock
  }
}

const systemFacts: ProcessFacts = {
  self: (sinceMs) => ({
    pid: process.pid,
    bootId: readOr('/proc/sys/kernel/random/boot_id').trim(),
    startTicks: startTicks(process.pid),
    pidNamespace: pidNamespace(),
    host: hostname(),
    since: new Date(sinceMs).toISOString(),
  }),
  alive: (pid) => {
    try {
      process.kill(pid, 0);
    } catch (error) {
      if (errorCode(error) !== 'EPERM') return null;
    }
    return startTicks(pid);
  },
};

/** Field 22 of /proc/<pid>/stat; the name in field 2 may hold blanks and brackets. */
function startTicks(pid: number): string {
  const stat = readOr(`/proc/${pid}/stat`);
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

function pidNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return ''; // no /proc on this system
  }
}

function readOr(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return ''; // no /proc on this system
  }
}
