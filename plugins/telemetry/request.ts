/** What may follow a command of this plugin: a node, a time, in any order. */

export interface ChartRequest {
  /** Id or name as typed; '' for the whole mesh. */
  readonly node: string;
  readonly spanMs: number;
}

const HOUR_MS = 3_600_000;
const DEFAULT_MS = 12 * HOUR_MS;
const MAX_MS = 7 * 24 * HOUR_MS;

/** The last word may be a time such as `24h` or `7d` (from one hour to seven days). */
export function parseRequest(text: string): ChartRequest {
  const words = text.split(/\s+/).filter((word) => word !== '');
  const index = words.findIndex((word) => /^\d{1,3}[hd]$/i.test(word));
  const time = words[index];
  if (time === undefined) return { node: words.join(' '), spanMs: DEFAULT_MS };
  const spanMs = Number.parseInt(time, 10) * HOUR_MS * (/d$/i.test(time) ? 24 : 1);
  const node = words.filter((_, at) => at !== index).join(' ');
  return { node, spanMs: Math.min(Math.max(spanMs, HOUR_MS), MAX_MS) };
}
