const UNITS_MS: Readonly<Record<string, number>> = {
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
};

/** `90s`, `15m`, `24h`, `7d`, `2w` in milliseconds; null when it is none. */
export function parseDuration(text: string): number | null {
  const match = /^(\d{1,7}(?:\.\d{1,3})?)([smhdw])$/i.exec(text);
  return match === null ? null : Number(match[1]) * (UNITS_MS[(match[2] ?? '').toLowerCase()] ?? 0);
}

/** `3 min`, `2 h`. */
export function ageText(ms: number): string {
  const s = Math.max(0, Math.round(ms / 1000));
  if (s < 120) return `${s} s`;
  if (s < 7200) return `${Math.round(s / 60)} min`;
  return s < 172_800 ? `${Math.round(s / 3600)} h` : `${Math.round(s / 86_400)} days`;
}
