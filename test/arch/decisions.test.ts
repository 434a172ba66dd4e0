import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

interface Row {
  readonly id: string;
  readonly file: string;
  /** Words of the test; null: it names the id. */
  readonly words: string | null;
}

const text = readFileSync('docs/DECISIONS.md', 'utf8');
const rows: readonly Row[] = [...text.matchAll(/^\| ([A-Z]\d+) \| .+ \| `([^`]+)`(?: "(.+)")? \|$/gm)].map(
  ([, id = '', file = '', words]) => ({ id, file, words: words ?? null }),
);

/** How many weak spots each list has. */
const COUNTS = { M: 12, S: 8, C: 14, L: 5, G: 5, R: 8, D: 4, W: 48, P: 25 };
const wanted = Object.entries(COUNTS).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${index + 1}`),
);

it('every weak spot has its row, once and in order', () => {
  expect(rows.map(({ id }) => id)).toEqual(wanted);
});

it.each(rows)('$id is held by $file', ({ id, file, words }) => {
  expect(existsSync(file)).toBe(true);
  const test = readFileSync(file, 'utf8');
  if (words === null) expect(test).toMatch(new RegExp(`\\b${id}\\b`));
  else expect(test).toContain(words);
});
