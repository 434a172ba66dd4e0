import { expect, it } from 'vitest';
import { cliBox } from '../cli/run-cli.ts';
import { text } from '../deploy/support/tree.ts';
import { pages, shellLines } from './support/pages.ts';

// What the pages tell people to type, held against the help of the program itself.
const PREFIX = /(?:^|-- |npx |npm run |run --rm |exec mmrelay |sudo -u mmrelay )mmrelay(?: --(?= ))?((?: [^|&;()]+)?)$/;
const IMAGE = /^docker run .*ghcr\.io\/\S*mmrelay\S*((?: [^|&;()]+)?)$/;
const INLINE = /`mmrelay( [^`|]+)?`/g;

/** Arguments of the mmrelay commands that a page shows. */
function shown(page: string): readonly string[] {
  const typed = shellLines(page)
    .flatMap((line) => line.split(/ (?:&&|\|\|?|;) /))
    .flatMap((line) => PREFIX.exec(line) ?? IMAGE.exec(line) ?? [])
    .filter((_, index) => index % 2 === 1);
  return [...typed, ...[...text(page).matchAll(INLINE)].map(([, inline = '']) => inline)];
}

/** What is wrong with a command line, going by the help of each of its words. */
async function problem(args: string, helpOf: (path: readonly string[]) => Promise<string>): Promise<string | null> {
  const tokens = args.trim().split(/\s+/).filter(Boolean);
  const path: string[] = [];
  let help = await helpOf(path);
  for (const [index, token] of tokens.entries()) {
    if (token.startsWith('-') || tokens[index - 1]?.startsWith('--')) continue;
    if (new RegExp(`^ {2}${token}(?:[| ]|$)`, 'm').test(help)) {
      path.push(token);
      help = await helpOf(path);
    } else if (path.length === 0) return `no command ${token}`;
  }
  for (const token of tokens) {
    const [flag = ''] = token.split('=');
    if (/^--\w/.test(flag) && !new RegExp(`${flag}(?![\\w-])`).test(help))
      return `${path.join(' ')}: no option ${flag}`;
  }
  return null;
}

it('every mmrelay command of the pages exists, with its options', async () => {
  const { run } = cliBox();
  const known = new Map<string, string>();
  const helpOf = async (path: readonly string[]): Promise<string> => {
    const name = path.join(' ');
    const help = known.get(name) ?? (await run(...path, '--help')).out;
    known.set(name, help);
    return help;
  };
  const commands = pages.flatMap((page) => shown(page).map((args) => ({ page, args })));
  const problems: string[] = [];
  for (const { page, args } of commands) {
    const found = await problem(args, helpOf);
    if (found !== null) problems.push(`${page}: mmrelay${args}: ${found}`);
  }
  expect(problems).toEqual([]);
  expect(commands.length).toBeGreaterThan(50);
  expect(await problem(' doctor --livelyness', helpOf)).toBe('doctor: no option --livelyness');
  expect(await problem(' docter', helpOf)).toBe('no command docter');
});
