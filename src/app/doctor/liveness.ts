import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Env } from '../../config/env.ts';
import { expandPath } from '../../config/expand.ts';
import { lockOwner } from '../../observe/process-lock.ts';
import type { Clock } from '../../util/clock.ts';

export interface Liveness {
  readonly alive: boolean;
  /** One line for a person. */
  readonly reason: string;
}

/** The daemon touches its lock every 5 s from the event loop: this much silence means that the loop is stuck. */
const LOCK_STALE_MS = 60_000;
const DEFAULT_HEARTBEAT_S = 60;
/** Heartbeats that may be missed. */
const MISSED = 3;

/**
 * Whether the daemon of a home is alive: its process is there, its event loop turns (lock file), store and lanes move
 * (ready file). An absent radio or homeserver is no reason to fail, and neither is a start or a stop under way.
 * Reads three small files; imports next to nothing, because a probe runs it every minute.
 */
export function checkLiveness(options: { readonly home: string; readonly env: Env; readonly clock: Clock }): Liveness {
  const { home, env, clock } = options;
  const path = join(home, 'mmrelay.lock');
  const owner = lockOwner({ path, clock });
  if (owner === null) return { alive: false, reason: `no relay runs on ${home}` };
  const lockAge = ageMs(path, clock);
  if (lockAge !== null && lockAge > LOCK_STALE_MS) {
    return { alive: false, reason: `process ${owner.pid} is stuck: no sign of life for ${seconds(lockAge)}` };
  }
  const readyPath = (env.MMRELAY_READY_FILE ?? '').trim();
  if (readyPath === '') return { alive: true, reason: `process ${owner.pid} lives` };
  const file = expandPath(readyPath, { env, cwd: process.cwd() });
  const readyAge = ageMs(file, clock);
  const allowed = heartbeatMs(env);
  if (readyAge !== null && allowed !== null && readyAge > allowed * MISSED) {
    return {
      alive: false,
      reason: `process ${owner.pid} makes no progress: the ready file is ${seconds(readyAge)} old`,
    };
  }
  return { alive: true, reason: `process ${owner.pid} lives, ${stateIn(file)}` };
}

function ageMs(path: string, clock: Clock): number | null {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat === undefined ? null : clock.now() - stat.mtimeMs;
}

/** null: the file is not touched at all. */
function heartbeatMs(env: Env): number | null {
  const given = Number(env.MMRELAY_READY_HEARTBEAT_SECONDS ?? DEFAULT_HEARTBEAT_S);
  const secondsEach = Number.isFinite(given) ? given : DEFAULT_HEARTBEAT_S;
  return secondsEach <= 0 ? null : Math.max(secondsEach * 1000, 10_000);
}

function stateIn(file: string): string {
  try {
    const content: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof content === 'object' && content !== null && 'state' in content ? String(content.state) : 'ready';
  } catch {
    return 'not ready yet'; // absent, or being replaced
  }
}

function seconds(ms: number): string {
  return `${Math.round(ms / 1000)} s`;
}
