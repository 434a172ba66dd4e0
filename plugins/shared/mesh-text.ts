/** Texts for the mesh: everything in one packet, more on request. */

/** What one packet carries with room for a prefix (Meshtastic: 233 bytes of payload). */
export const PACKET_BYTES = 200;

const segments = new Intl.Segmenter('en', { granularity: 'grapheme' });

export function utf8Length(text: string): number {
  return Buffer.byteLength(text, 'utf8');
}

/** The longest head of whole characters as people see them that fits `maxBytes`. */
export function cutBytes(text: string, maxBytes: number): string {
  if (utf8Length(text) <= maxBytes) return text;
  let bytes = 0;
  let end = 0;
  for (const { segment, index } of segments.segment(text)) {
    bytes += utf8Length(segment);
    if (bytes > maxBytes) break;
    end = index + segment.length;
  }
  return text.slice(0, end);
}

export interface PageOptions {
  readonly title: string;
  readonly lines: readonly string[];
  /** 1 is the first; too high gives the last. */
  readonly page: number;
  /** As `!nodes`; the way to the next page is shown as `!nodes 2`. */
  readonly command: string;
  readonly maxBytes?: number;
}

/** One page: the title, as many lines as fit, and the command for the next page when there is one. */
export function pageOf(options: PageOptions): string {
  const { title, lines, page, command, maxBytes = PACKET_BYTES } = options;
  const moreRoom = utf8Length(`\nMore: ${command} 999`);
  const budget = maxBytes - utf8Length(title) - moreRoom;
  const pages: string[][] = [[]];
  let used = 0;
  for (const line of lines.map((one) => cutBytes(one, budget - 1))) {
    const size = utf8Length(line) + 1;
    if (used + size > budget && used > 0) {
      pages.push([]);
      used = 0;
    }
    pages.at(-1)?.push(line);
    used += size;
  }
  const shown = Math.min(Math.max(page, 1), pages.length);
  const more = shown < pages.length ? [`More: ${command} ${shown + 1}`] : [];
  return [title, ...(pages[shown - 1] ?? []), ...more].join('\n');
}
