import { readFileSync, statSync } from 'node:fs';
import type { AppPaths } from '../../config/paths.ts';
import { oldRelaysOn } from '../../observe/open-files.ts';
import { lockOwner } from '../../observe/process-lock.ts';
import type { Clock } from '../../util/clock.ts';
import { ageText } from '../../util/duration.ts';
import { type Finding, findingsOf } from './finding.ts';
import { checkLiveness } from './liveness.ts';

export interface DaemonView {
  readonly running: boolean;
  readonly alive: boolean;
  readonly pid: number | null;
  /** A Python relay on this home, while none of ours is. It holds radio and account as well. */
  readonly oldRelayPid: number | null;
  /** What the ready file says: starting, ready, degraded, stopping; null without one. */
  readonly state: string | null;
  readonly reasons: readonly string[];
}

/** The daemon of this home, seen from outside. */
export function viewDaemon(
  paths: AppPaths,
  context: { readonly clock: Clock; readonly env: Readonly<Record<string, string | undefined>> },
): DaemonView {
  const { clock, env } = context;
  const owner = lockOwner({ path: paths.lockFile.path, clock });
  if (owner === null) {
    const [oldRelayPid = null] = oldRelaysOn(paths.database.path);
    return { running: false, alive: false, pid: null, oldRelayPid, state: null, reasons: [] };
  }
  const readyFile = paths.readyFile === null ? {} : { MMRELAY_READY_FILE: paths.readyFile.path };
  const { alive, reason } = checkLiveness({ home: paths.home.path, env: { ...env, ...readyFile }, clock });
  const told = readState(paths.readyFile?.path ?? null);
  return {
    running: true,
    alive,
    pid: owner.pid,
    oldRelayPid: null,
    state: told.state,
    reasons: alive ? told.reasons : [reason],
  };
}

export function daemonFindings(view: DaemonView, paths: AppPaths, clock: Clock): Finding[] {
  const finding = findingsOf('daemon');
  if (view.oldRelayPid !== null) {
    const text = `the Python relay runs on ${paths.home.path} (process ${view.oldRelayPid})`;
    return [finding('warning', text, 'stop it before you migrate or start this one')];
  }
  if (!view.running) return [finding('info', `no relay runs on ${paths.home.path}`, 'start it with `mmrelay`')];
  const since = statSync(paths.lockFile.path, { throwIfNoEntry: false })?.birthtimeMs;
  const age = since === undefined ? '' : `, for ${ageText(clock.now() - since)}`;
  if (!view.alive) return [finding('error', view.reasons[0] ?? 'it is stuck', 'restart it')];
  const running = finding(
    'ok',
    `running as process ${view.pid ?? 0}${age}${view.state === null ? '' : `: ${view.state}`}`,
  );
  return [running, ...view.reasons.map((reason) => finding('warning', reason))];
}

function readState(path: string | null): { readonly state: string | null; readonly reasons: readonly string[] } {
  const none = { state: null, reasons: [] };
  if (path === null) return none;
  try {
    const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof content !== 'object' || content === null) return none;
    const state = 'state' in content ? String(content.state) : null;
    const reasons = 'reasons' in content && Array.isArray(content.reasons) ? content.reasons.map(String) : [];
    return { state, reasons };
  } catch {
    return none; // not ready yet, or of another user: the lock tells that it runs
  }
}
