import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, it } from 'vitest';
import type { PluginHost } from '../../../src/plugins/host/host.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { RelayError } from '../../../src/util/relay-error.ts';
import { inProcess, inWorker, startHost, until } from './helpers.ts';

const BASE = { version: '1.0.0', api: 1 } as const;
const hosts: PluginHost[] = [];

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

describe('a plugin whose start fails', () => {
  it('is started again with growing pauses, and told of until it runs', async () => {
    const clock = new ManualClock();
    let tries = 0;
    const late = inProcess({
      ...BASE,
      name: 'late',
      start: () => {
        tries += 1;
        return tries < 4 ? Promise.reject(new Error('no network')) : undefined;
      },
    });
    const { host, started } = startHost([late], { clock, random: () => 1 });
    hosts.push(host);
    await started;
    expect(host.states()).toMatchObject([{ status: 'waiting', reason: 'no network', restarts: 1 }]);
    await clock.advance(1_000);
    expect(host.states()).toMatchObject([{ status: 'waiting', restarts: 2 }]);
    await clock.advance(60_000);
    expect(host.states()).toMatchObject([{ status: 'active', reason: null }]);
    expect(tries).toBe(4);
  });

  it('rests when it fails and fails', async () => {
    const clock = new ManualClock();
    const never = inProcess({ ...BASE, name: 'never', start: () => Promise.reject(new Error('no')) });
    const { host, started } = startHost([never], { clock, random: () => 1 });
    hosts.push(host);
    await started;
    await clock.advance(5 * 60_000);
    expect(host.states()).toMatchObject([{ status: 'broken', restarts: 5 }]);
    await clock.advance(30 * 60_000);
    expect(host.states()[0]?.restarts).toBeGreaterThan(5);
  });

  it('in a thread, too, but code that cannot be loaded is not tried again', async () => {
    const starts = "start() { throw new Error('no network'); }";
    const { host, started } = startHost([
      inWorker('starts', `export default { name: 'starts', version: '1', api: 1, ${starts} };`),
      inWorker('syntax', 'export default {'),
    ]);
    hosts.push(host);
    await started;
    await until(() => (host.states()[0]?.restarts ?? 0) > 1);
    expect(host.states()).toMatchObject([
      { name: 'starts', reason: 'no network' },
      { name: 'syntax', status: 'failed', restarts: 0 },
    ]);
  });

  it('because its origin is out of reach is tried again; because its configuration is wrong it is not', async () => {
    const clock = new ManualClock();
    const retry = { retry: { kind: 'later' } } as const;
    const away = { ...inWorker('away', ''), code: failing(new RelayError('PLUGIN_GIT', 'git clone failed', retry)) };
    const wrong = { ...inWorker('wrong', ''), code: failing(new RelayError('PLUGIN_SOURCE', 'not allowed')) };
    const { host, started } = startHost([away, wrong], { clock });
    hosts.push(host);
    await started;
    expect(host.states()).toMatchObject([{ status: 'waiting' }, { status: 'failed' }]);
  });
});

function failing(error: Error) {
  return { kind: 'worker' as const, locate: () => Promise.reject(error), stamp: () => '' };
}

/** Which of the core plugins' files Node loads: first by the wiring of the relay alone, then with one plugin. */
const LISTING = `
import { registerHooks } from 'node:module';
const seen = new Set();
const root = process.argv[1];
registerHooks({ load(url, context, next) { if (url.startsWith(root + 'plugins/')) seen.add(url); return next(url, context); } });
await import(root + 'src/app/plugins/create-plugins.ts');
const { coreLoader } = await import(root + 'src/app/plugins/core-plugins.ts');
const load = coreLoader('dm');
const before = [...seen];
await load();
console.log(JSON.stringify({ before, after: [...seen].map((url) => url.slice(root.length)) }));
`;

it('a plugin that is off is not even read', async () => {
  const root = new URL('../../../', import.meta.url).href;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', LISTING, root]);
  expect(JSON.parse(stdout)).toEqual({
    before: [],
    after: ['plugins/dm/index.ts', 'plugins/shared/mesh-text.ts', 'plugins/dm/config.ts'],
  });
});
