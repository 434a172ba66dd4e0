const MINUTE_MS = 60_000;

/** What stands before words that come after newer ones, as `(7m late) `: short, because packets are. */
export function lateMark(event: { readonly late?: boolean; readonly timestampMs: number }, nowMs: number): string {
  if (event.late !== true) return '';
  const minutes = Math.floor((nowMs - event.timestampMs) / MINUTE_MS);
  if (minutes < 1) return '(late) ';
  return minutes < 60 ? `(${minutes}m late) ` : `(${Math.floor(minutes / 60)}h late) `;
}
