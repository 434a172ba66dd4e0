import { graphemes, headOfBytes, utf8Bytes } from '../../util/utf8.ts';

/**
 * Largest UTF-8 texts that fit a LoRa frame: 255 - 16 (header) - 2 (port) - 3 (payload tag and length) - 2 (bitfield),
 * less 5 for reply_id, 5 for emoji, 12 for public key encryption (design of mesh.proto Data; spec 04 section 3.1).
 */
export function maxTextBytes(kind: {
  readonly reply?: boolean;
  readonly reaction?: boolean;
  readonly pki?: boolean;
}): number {
  return 232 - (kind.reply || kind.reaction ? 5 : 0) - (kind.reaction ? 5 : 0) - (kind.pki ? 12 : 0);
}

export interface SplitOptions {
  /** Put before the first part; counted. */
  readonly prefix: string;
  /** Limit of the first part (a reply is shorter), and of the others. */
  readonly firstBytes: number;
  readonly otherBytes: number;
  readonly maxParts: number;
}

export interface SplitResult {
  readonly parts: readonly string[];
  /** True when the text was longer than the parts allow, so that its end is missing. */
  readonly cut: boolean;
}

const CUT_MARK = '…';

/**
 * Splits a text into parts that each fit the air, numbered `(1/3) `, at words where that wastes less than a third of
 * a part, otherwise between graphemes. Joining the parts without prefix, numbers and the blanks at the joints gives
 * the text back, unless it was cut.
 */
export function splitText(text: string, options: SplitOptions): SplitResult {
  const whole = options.prefix + text;
  if (utf8Bytes(whole) <= options.firstBytes) return { parts: [whole], cut: false };
  if (options.maxParts <= 1) return truncateText(text, options);
  for (let count = 2; count <= options.maxParts; count += 1) {
    const parts = fill(text, count, options);
    if (parts.rest === '') return { parts: parts.texts, cut: false };
  }
  const { texts, rest } = fill(text, options.maxParts, options);
  if (rest === '') return { parts: texts, cut: false };
  const last = texts.at(-1) ?? '';
  const shortened = headOfBytes(last, options.otherBytes - utf8Bytes(CUT_MARK)).trimEnd() + CUT_MARK;
  return { parts: [...texts.slice(0, -1), shortened], cut: true };
}

/** One part, with a mark where it was cut. */
export function truncateText(
  text: string,
  options: { readonly prefix: string; readonly firstBytes: number },
): SplitResult {
  const whole = options.prefix + text;
  if (utf8Bytes(whole) <= options.firstBytes) return { parts: [whole], cut: false };
  const head = headOfBytes(whole, options.firstBytes - utf8Bytes(CUT_MARK)).trimEnd();
  return { parts: [head + CUT_MARK], cut: true };
}

function fill(text: string, count: number, options: SplitOptions): { texts: string[]; rest: string } {
  const texts: string[] = [];
  let rest = text;
  for (let index = 0; index < count && rest !== ''; index += 1) {
    const head = `${index === 0 ? options.prefix : ''}(${index + 1}/${count}) `;
    const room = (index === 0 ? options.firstBytes : options.otherBytes) - utf8Bytes(head);
    const piece = takePiece(rest, room);
    if (piece === '') break;
    texts.push((head + piece).trimEnd());
    rest = rest.slice(piece.length).trimStart();
  }
  return { texts, rest };
}

/** The head of `text` that fits `maxBytes`, ended at a blank when one is near enough. */
function takePiece(text: string, maxBytes: number): string {
  const head = headOfBytes(text, maxBytes);
  if (head.length === text.length) return head;
  if (head === '') return splitGrapheme(text, maxBytes);
  const blank = head.search(/\s\S*$/u);
  const nextIsBlank = /^\s/u.test(text.slice(head.length));
  return nextIsBlank || blank < head.length * (2 / 3) ? head : head.slice(0, blank + 1);
}

/** A single grapheme may be longer than a packet (stacked combining marks): then code points are the joints. */
function splitGrapheme(text: string, maxBytes: number): string {
  const first = graphemes(text.slice(0, 4_000)).at(0) ?? '';
  let head = '';
  for (const point of first) {
    if (utf8Bytes(head + point) > maxBytes) break;
    head += point;
  }
  return head;
}
