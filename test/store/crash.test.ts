import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { open, scratch } from './fixtures.ts';

/** Starts the writer, kills it after `commits` lines; the last number it said. */
async function killedAfter(path: string, commits: number): Promise<number> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'writer-process.ts'), path], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  let lines = 0;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
    lines += text.split('\n').length - 1;
    if (lines >= commits) child.kill('SIGKILL');
  });
  const [, signal] = (await once(child, 'close')) as [number | null, string | null];
  expect(signal).toBe('SIGKILL');
  return Number(said.slice(0, said.lastIndexOf('\n')).split('\n').at(-1));
}

test('killed thirty times while writing: sound, and exactly a committed prefix', { timeout: 120_000 }, async () => {
  const path = join(scratch(), 'db.sqlite');
  for (let round = 0; round < 30; round += 1) {
    const said = await killedAfter(path, 1 + ((round * 7) % 40));
    const store = open({ path });
    expect(store.integrityCheck()).toEqual({ ok: true, problems: [] });
    const last = Number(store.values.get('last'));
    expect(last).toBeGreaterThanOrEqual(said);
    const upTo = Array.from({ length: last }, (_, index) => index + 1);
    expect(store.inbox.pending(1e6).map((row) => row.receivedAtMs)).toEqual(upTo);
    expect(store.outbox.queued('radio:a', 1e6).map((row) => row.createdAtMs)).toEqual(upTo);
    store.close();
  }
});
