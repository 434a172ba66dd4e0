/** Numbers as Python prints them: the texts of the old relay are an interface that scripts and people read. */

/** Enough digits to hold any double of a sensible size exactly. */
const EXACT_DIGITS = 60;

/** `f"{value:.{digits}f}"`: exact ties go to the even digit. `-0.0` is written `0.0`. */
export function fixed(value: number, digits: number): string {
  const exact = Math.abs(value).toFixed(EXACT_DIGITS);
  const point = exact.indexOf('.');
  const kept = `${exact.slice(0, point)}${exact.slice(point + 1, point + 1 + digits)}`;
  const rest = exact.slice(point + 1 + digits);
  const half = `5${'0'.repeat(rest.length - 1)}`;
  const up = rest > half || (rest === half && Number(kept.at(-1)) % 2 === 1);
  const whole = (BigInt(kept) + (up ? 1n : 0n)).toString().padStart(digits + 1, '0');
  const sign = value < 0 && /[1-9]/.test(whole) ? '-' : '';
  return digits === 0 ? `${sign}${whole}` : `${sign}${whole.slice(0, -digits)}.${whole.slice(-digits)}`;
}

/** A value that the mesh carries as a 32-bit float, as `str(float)`: shortest digits, `.0` for whole numbers. */
export function float32Text(value: number): string {
  const wanted = Math.fround(value);
  for (let precision = 1; precision <= 9; precision += 1) {
    const candidate = Number(wanted.toPrecision(precision));
    if (Math.fround(candidate) === wanted) return Number.isInteger(candidate) ? `${candidate}.0` : `${candidate}`;
  }
  return `${wanted}`;
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

export function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}
