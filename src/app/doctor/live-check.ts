import { askDaemon } from '../control/client.ts';
import { historyLines, matrixText, radioText } from '../control/status-text.ts';
import type { DaemonStatus } from '../daemon/relay-status.ts';
import { type Finding, findingsOf } from './finding.ts';

const TIMEOUT_MS = 2_000;
/** Changes of a link that are shown. */
const HISTORY = 4;

/** What the running relay says of itself; null when it does not answer (an older one, or another user's). */
export async function askLiveStatus(home: string): Promise<DaemonStatus | null> {
  try {
    return await askDaemon(home, 'status', { args: {}, timeoutMs: TIMEOUT_MS });
  } catch {
    return null; // The other checks tell whether it lives.
  }
}

/** The links as the running relay has them. Troubles are named with the daemon: here is how they came about. */
export function liveLinkFindings(
  live: DaemonStatus,
  nowMs: number,
): { readonly matrix: readonly Finding[]; readonly radios: readonly Finding[] } {
  const matrix = findingsOf('matrix');
  const radio = findingsOf('radio');
  const history = (link: string): readonly string[] => historyLines(live.links[link] ?? [], nowMs, HISTORY);
  return {
    matrix: [
      matrix(live.matrix.status === 'syncing' ? 'ok' : 'warning', matrixText(live.matrix, nowMs)),
      ...history('matrix').map((line) => matrix('info', line)),
    ],
    radios: live.radios.flatMap((one) => [
      radio(radioStatus(one), `${one.name}: ${radioText(one, nowMs)}`),
      ...history(`radio:${one.name}`).map((line) => radio('info', `${one.name}: ${line}`)),
    ]),
  };
}

function radioStatus({ status, releasedUntilMs }: DaemonStatus['radios'][number]): Finding['status'] {
  if (releasedUntilMs !== null) return 'info';
  return status === 'ready' || status === 'asleep' ? 'ok' : 'warning';
}
