import { ageText } from '../../util/duration.ts';
import { type Finding, findingsOf } from './finding.ts';

/** The Date header counts whole seconds and has travelled; ages of messages bear this much. */
const TOLERATED_MS = 60_000;
/** Older than this program. */
const NOT_BEFORE_MS = Date.UTC(2025, 0, 1);

/** Our clock against that of the homeserver. @param serverMs null when nobody was asked */
export function checkClock(nowMs: number, serverMs: number | null): Finding[] {
  const finding = findingsOf('clock');
  const date = new Date(nowMs).toISOString().slice(0, 19).replace('T', ' ');
  const remedy = 'set it, as with `timedatectl set-ntp true`: logins, encryption and ages of messages depend on it';
  if (serverMs !== null) {
    const apartMs = nowMs - serverMs;
    if (Math.abs(apartMs) <= TOLERATED_MS) return [finding('ok', `${date} UTC; the homeserver agrees`)];
    const words = `${ageText(Math.abs(apartMs))} ${apartMs > 0 ? 'ahead of' : 'behind'} the homeserver's`;
    return [finding('warning', `${date} UTC, ${words}`, remedy)];
  }
  if (nowMs < NOT_BEFORE_MS) return [finding('warning', `${date} UTC cannot be right`, remedy)];
  return [finding('ok', `${date} UTC; not compared with the homeserver's`)];
}
