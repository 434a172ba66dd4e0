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
  | 'clock'
  | 'migration';

/** Makes findings of one group. */
export function findingsOf(group: FindingGroup): (status: FindingStatus, text: string, remedy?: string) => Finding {
  return (status, text, remedy) => ({ group, status, text, remedy: remedy ?? null });
}

/** `3 min`, `2 h`. */
export function ageText(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} days`;
}
