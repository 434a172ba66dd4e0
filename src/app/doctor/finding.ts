/** One thing doctor looked at. */
export interface Finding {
  readonly group: FindingGroup;
  readonly status: FindingStatus;
  readonly text: string;
  /** What to do; null when nothing is to be done. */
  readonly remedy: string | null;
}

/** error: unhealthy. warning: works, but not as it should. info: neither good nor bad. */
export type FindingStatus = 'ok' | 'info' | 'warning' | 'error';

export type FindingGroup =
  | 'config'
  | 'home'
  | 'e2ee'
  | 'matrix'
  | 'radio'
  | 'disk'
  | 'database'
  | 'daemon'
  | 'plugins'
  | 'clock'
  | 'migration';

/** Makes findings of one group. */
export function findingsOf(group: FindingGroup): (status: FindingStatus, text: string, remedy?: string) => Finding {
  return (status, text, remedy) => ({ group, status, text, remedy: remedy ?? null });
}
