import { ageText } from '../../util/duration.ts';
import { plural } from '../../util/plural.ts';
import type { LinkEpisode } from '../daemon/link-history.ts';
import type { DaemonStatus } from '../daemon/relay-status.ts';

/** The running relay in words. */

/** `2026-11-21 15:30`, in the time zone of this machine. */
export function timeText(ms: number): string {
  return new Date(ms).toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'short' });
}

export function statusLines(relay: DaemonStatus, nowMs: number): readonly string[] {
  const { health, matrix, radios, queues, plugins } = relay;
  const running = plugins.filter(({ status }) => status === 'active' || status === 'waiting');
  return [
    `mmrelay ${relay.version}, process ${relay.pid}, up for ${ageText(nowMs - relay.startedAtMs)}: ${health.state}`,
    ...health.reasons.map((reason) => `  ⚠️  ${reason}`),
    `Matrix: ${matrixText(matrix, nowMs)}`,
    ...radios.map((radio) => `Radio ${radio.name}: ${radioText(radio, nowMs)}`),
    ...(queues.length === 0 ? ['Nothing waits.'] : queues.map((queue) => `Waiting for ${queueText(queue)}`)),
    ...(running.length === 0 ? [] : [`Plugins: ${running.map(({ name }) => name).join(', ')}`]),
  ];
}

/** `syncing for 3 h, @relay:example.org` */
export function matrixText({ status, reason, sinceMs, userId }: DaemonStatus['matrix'], nowMs: number): string {
  return facts([`${status} for ${ageText(nowMs - sinceMs)}`, reason, userId]);
}

/** `ready for 2 h, TBEAM, firmware 2.7.26, EU_868 LONG_FAST` */
export function radioText(radio: DaemonStatus['radios'][number], nowMs: number): string {
  const { status, reason, sinceMs, releasedUntilMs, hwModel, firmwareVersion, region, modemPreset } = radio;
  if (releasedUntilMs !== null)
    return `released until ${timeText(releasedUntilMs)} (${ageText(releasedUntilMs - nowMs)})`;
  const firmware = firmwareVersion === null ? null : `firmware ${firmwareVersion}`;
  const air = region === null ? null : `${region} ${modemPreset ?? ''}`.trim();
  return facts([`${status} for ${ageText(nowMs - sinceMs)}`, reason, hwModel, firmware, air]);
}

/** The last `count` episodes of a link, newest first: `2026-11-21 15:30 down for 4 min, 9 attempts: refused` */
export function historyLines(episodes: readonly LinkEpisode[], nowMs: number, count: number): readonly string[] {
  const lines = episodes.map(({ state, sinceMs, reason, attempts }, index) => {
    const lasted = ageText((episodes[index + 1]?.sinceMs ?? nowMs) - sinceMs);
    const tries = attempts === 0 ? '' : `, ${plural(attempts, 'attempt')}`;
    const word = state === 'down' && reason === null ? 'connecting' : state;
    return `${timeText(sinceMs)} ${word} for ${lasted}${tries}${reason === null ? '' : `: ${reason}`}`;
  });
  return lines.slice(-count).toReversed();
}

function queueText({ lane, queued, sent, oldestMs, expectedMs }: DaemonStatus['queues'][number]): string {
  const words = facts([
    `${queued} waiting`,
    sent === 0 ? null : `${sent} on the way`,
    oldestMs === null ? null : `the oldest for ${ageText(oldestMs)}`,
    queued === 0 || expectedMs === null ? null : `about ${ageText(expectedMs)} to go`,
  ]);
  return `${lane.replace(':', ' ')}: ${words}`;
}

function facts(words: readonly (string | null)[]): string {
  return words.filter((word) => word !== null).join(', ');
}
