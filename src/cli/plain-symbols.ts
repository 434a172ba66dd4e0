/** Signs of our own output, for terminals that cannot show them. What strangers wrote stays as it is. */
const WORDS: readonly (readonly [RegExp, string])[] = [
  [/✅/gu, '[ok]'],
  [/❌/gu, '[error]'],
  [/⚠️ ?/gu, '[warning]'],
  [/ℹ️ ?/gu, '[info]'],
  [/→/gu, '->'],
  [/»/gu, '>'],
  [/«/gu, '<'],
  [/ · /gu, ' | '],
  [/…/gu, '...'],
  // The sign of a heading.
  [/^(\s*)\p{Extended_Pictographic}\uFE0F? +/gmu, '$1'],
];

/** The same line in ASCII. */
export function withoutSymbols(text: string): string {
  return WORDS.reduce((plain, [symbol, word]) => plain.replace(symbol, word), text);
}

/** From now on what is printed is plain. */
export function printPlainly(target: Pick<Console, 'log' | 'error'>): void {
  for (const name of ['log', 'error'] as const) {
    const print = target[name].bind(target);
    target[name] = (...parts: readonly unknown[]) =>
      print(...parts.map((part) => (typeof part === 'string' ? withoutSymbols(part) : part)));
  }
}
