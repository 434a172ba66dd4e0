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
