import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { acquireLock, type LockOwner, lockOwner, type ProcessFacts } from '../../src/observe/process-lock.ts';
import { systemClock } from '../../src/util/clock.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';

let folder = '';
let path = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mmrelay-lock-'));
  path = join(folder, 'home', 'mmrelay.lock');
});

const OWNER: LockOwner = { pid: 7, bootId: 'boot1', startTicks: '100', pidNamespace: 'ns1', host: 'pi', since: 'then' };

function facts(self: Partial<LockOwner>, processes: Readonly<Record<number, string>> = {}): ProcessFacts {
  return { self: () => ({ ...OWNER, ...self }), alive: (pid) => processes[pid] ?? null };
}

describe('one daemon per home', () => {
  test('taken, refused, released, taken', () => {
    const clock = new ManualClock();
    const mine = acquireLock({ path, clock, facts: facts({}, { 7: '100' }) });
    expect(mine.ok).toBe(true);
    const other = { path, clock, facts: facts({ pid: 8, startTicks: '200' }, { 7: '100', 8: '200' }) };
    expect(acquireLock(other)).toMatchObject({ ok: false, owner: { pid: 7 }, retryAfterMs: null });
    expect(lockOwner(other)?.pid).toBe(7);
    if (mine.ok) mine.lock.release();
    expect(lockOwner(other)).toBeNull();
    expect(acquireLock(other).ok).toBe(true);
    expect(readdirSync(join(folder, 'home'))).toEqual(['mmrelay.lock']);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test.each<readonly [string, Partial<LockOwner>, Readonly<Record<number, string>>]>([
    ['its process is gone', {}, {}],
    ['its pid belongs to another process now', {}, { 7: '999' }],
    ['the machine has booted since', { bootId: 'boot2' }, { 7: '100' }],
  ])('M7: a lock is stale when %s', (_name, self, processes) => {
    const clock = new ManualClock();
    acquireLock({ path, clock, facts: facts({}) });
    expect(acquireLock({ path, clock, facts: facts({ pid: 9, startTicks: '300', ...self }, processes) }).ok).toBe(true);
    expect(readFileSync(path, 'utf8')).toContain('"pid":9');
  });

  test('a holder in another container counts while it touches the file', async () => {
    const clock = new ManualClock(Date.now());
    const first = acquireLock({ path, clock, facts: facts({}) });
    const other = { path, clock, facts: facts({ pid: 1, pidNamespace: 'ns2', host: 'pod' }) };
    await clock.advance(60_000);
    const refused = acquireLock(other);
    expect(refused).toMatchObject({ ok: false, owner: { pid: 7 } });
    if (refused.ok) return;
    expect(refused.retryAfterMs).toBeGreaterThan(0);
    expect(refused.retryAfterMs).toBeLessThanOrEqual(15_000);
    // Killed: nobody touches it any more.
    const silent = new ManualClock(clock.now() + (refused.retryAfterMs ?? 0) + 1);
    expect(acquireLock({ ...other, clock: silent }).ok).toBe(true);
    if (first.ok) first.lock.release();
    expect(existsSync(path), 'the lock of the new holder stays').toBe(true);
  });

  test.each(['', '{', 'null', '{"pid":"x"}', '12\n'])('a torn lock file (%j) is nobody’s', (content) => {
    acquireLock({ path, clock: new ManualClock(), facts: facts({}) });
    writeFileSync(path, content);
    expect(acquireLock({ path, clock: new ManualClock(), facts: facts({}) }).ok).toBe(true);
  });
});

describe('real processes', () => {
  const script = (where: string): string =>
    `import { acquireLock } from ${JSON.stringify(new URL('../../src/observe/process-lock.ts', import.meta.url).href)};
     import { systemClock } from ${JSON.stringify(new URL('../../src/util/clock.ts', import.meta.url).href)};
     const result = acquireLock({ path: ${JSON.stringify(where)}, clock: systemClock });
     process.stdout.write(result.ok ? 'held\\n' : 'refused\\n');
     if (result.ok) setInterval(() => {}, 1000);`;
  const start = (where: string): ChildProcess =>
    spawn(process.execPath, ['--input-type=module', '-e', script(where)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answer = async (child: ChildProcess): Promise<string> =>
    String((await once(child.stdout as NonNullable<typeof child.stdout>, 'data'))[0]).trim();

  test('of many that start at once, exactly one holds the home; after kill -9 the next one does', async () => {
    const children = Array.from({ length: 4 }, () => start(path));
    const answers = await Promise.all(children.map(answer));
    expect(answers.filter((text) => text === 'held')).toHaveLength(1);
    const holder = children[answers.indexOf('held')];
    expect(lockOwner({ path, clock: systemClock })?.pid).toBe(holder?.pid);
    const gone = holder === undefined ? Promise.resolve() : once(holder, 'exit');
    holder?.kill('SIGKILL');
    await gone;
    expect(lockOwner({ path, clock: systemClock })).toBeNull();
    utimesSync(path, new Date(), new Date());
    const next = start(path);
    expect(await answer(next)).toBe('held');
    const end = once(next, 'exit');
    next.kill('SIGKILL');
    await end;
  });
});
