/** The texts of ping. */

/** More marks than this on one side are not given back. */
const MAX_MARKS = 5;

/** Mimic mode: the answer to `!Ping??` is `!Pong??`; null when the text is no ping. */
export function mimicPing(text: string): string | null {
  const match = /^([!?]*)(ping)([!?]*)$/i.exec(text.trim());
  if (match === null) return null;
  const [, before = '', ping = '', after = ''] = match;
  if (before.length > MAX_MARKS || after.length > MAX_MARKS) return 'Pong...';
  return `${before}${likeCase(ping)}${after}`;
}

/** `pong` in the letter case of a `ping`. */
function likeCase(ping: string): string {
  return [...'pong'].map((letter, index) => (isUpper(ping.charAt(index)) ? letter.toUpperCase() : letter)).join('');
}

function isUpper(letter: string): boolean {
  return letter !== letter.toLowerCase();
}

/** ` (1 hop 🦘)`; nothing when the packet does not say. */
export function hopsSuffix(hops: number | null): string {
  if (hops === null) return '';
  return hops === 1 ? ' (1 hop 🦘)' : ` (${Math.max(hops, 0)} hops 🦘)`;
}
