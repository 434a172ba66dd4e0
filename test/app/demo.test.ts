import { expect, it } from 'vitest';
import { runDemo } from '../../src/app/demo/run-demo.ts';

it('shows an encrypted room: the second client reads what the homeserver cannot', { timeout: 60_000 }, async () => {
  const lines: string[] = [];
  const stop = new AbortController();
  const seen = (pattern: RegExp): boolean => lines.some((line) => pattern.test(line));
  const result = await runDemo({
    forMs: 50_000,
    chatter: true,
    signal: stop.signal,
    input: null,
    print: (line) => {
      lines.push(line);
      if (seen(/room +«/) && seen(/mesh +«/)) stop.abort();
    },
  });
  expect(result).toMatchObject({ error: null, stored: { plain: 0 } });
  expect(result.stored.encrypted).toBeGreaterThanOrEqual(2);
  const at = (pattern: RegExp): number => lines.findIndex((line) => pattern.test(line));
  expect(lines[at(/mesh +» Alice/)]).toContain('Reached the ridge, all well');
  expect(lines[at(/room +« @relay/)]).toContain('[Alice Hiker/Demo]: Reached the ridge, all well');
  const server = lines.filter((line) => line.includes('server ·'));
  expect(server.map((line) => line.trim().split(/ +/)[2])).toEqual(expect.arrayContaining(['@relay', '@you']));
  for (const line of server) expect(line).toMatch(/ [A-Za-z0-9+/]{40}…$/);
});
