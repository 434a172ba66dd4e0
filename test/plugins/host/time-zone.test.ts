import { afterEach, expect, it, vi } from 'vitest';
import { CORE_PLUGINS, coreLoader } from '../../../src/app/plugins/core-plugins.ts';
import type { Plugin } from '../../../src/plugins/api.ts';
import { inProcess, inWorker, startHost } from './helpers.ts';

const SAYS_ZONE = `
  export default { name: 'zone', version: '1.0.0', api: 1, start: (ctx) => { throw new Error(ctx.timeZone); } };
`;

afterEach(() => {
  vi.restoreAllMocks();
});

it('a plugin is told its own time zone, or that of the relay, or that of the machine', async () => {
  const machine = new Intl.DateTimeFormat().resolvedOptions().timeZone;
  const zoneOf = async (timeZone: string | null, settings: object): Promise<string | null | undefined> => {
    const { host, started } = startHost([inWorker('zone', SAYS_ZONE, { settings: { ...settings } })], { timeZone });
    await started;
    const [state] = host.states();
    await host.stop();
    return state?.reason;
  };

  expect(await zoneOf('Asia/Tokyo', { time_zone: 'europe/berlin' })).toBe('Europe/Berlin');
  expect(await zoneOf('Asia/Tokyo', { time_zone: 'Nowhere/City' })).toBe('Asia/Tokyo');
  expect(await zoneOf(null, {})).toBe(machine);
});

it('no core plugin loads locale data to start: 7 MB stay resident when the first date is formatted', async () => {
  const formatters = vi.spyOn(Intl, 'DateTimeFormat');
  const load = async (name: string): Promise<Plugin> => {
    const plugin = await coreLoader(name)?.();
    if (plugin === undefined) throw new Error(`no loader for ${name}`);
    return plugin;
  };
  const specs = await Promise.all(CORE_PLUGINS.map(async (name) => ({ ...inProcess(await load(name)), name })));
  const { host, started } = startHost(specs, { timeZone: null });
  await started;

  expect(host.states().filter(({ status }) => status !== 'active')).toEqual([]);
  expect(formatters).not.toHaveBeenCalled();
  await host.stop();
});
