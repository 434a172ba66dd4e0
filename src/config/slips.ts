/** What people type, or copy from a web page, that looks right and is not; and what to do about it. */

const ODD_SPACE = /[\u00a0\u2000-\u200b\u202f\u3000\ufeff]/;
const EQUALS = /^\s*(?:- +)?[\w-]+ *= *\S/;

/** The remedy for a piece of text that holds such a slip; null for one that holds none. */
export function slipRemedy(text: string): string | null {
  if (ODD_SPACE.test(text)) return 'type its spaces again: some are of another kind, as copied from a web page';
  return EQUALS.test(text) ? 'write key: value, with a colon in place of =' : null;
}
