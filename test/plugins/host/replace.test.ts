import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { Plugin } from '../../../src/plugins/api.ts';
import { pluginCode, tempFolder } from '../sources/git-server.ts';
import { inFolder, inProcess, roomInbound, startHost } from './helpers.ts';

function counted(name: string): { readonly plugin: Plugin; readonly life: string[] } {
  const life: string[] = [];
  const plugin: Plugin = {
    name,
    description: 'counts its starts',
    version: '1.0.0',
    api: 1,
    start: () => void life.push('start'),
    stop: () => void life.push('stop'),
    commands: [{ name, description: 'x', run: () => undefined }],
  };
  return { plugin, life };
}

it('what is the same in both configurations goes on, the rest is stopped, started, or started anew', async () => {
  const [same, changed, gone, fresh] = [counted('same'), counted('changed'), counted('gone'), counted('fresh')];
  const { host, started } = startHost([inProcess(same.plugin), inProcess(changed.plugin), inProcess(gone.plugin)]);
  await started;

  await host.replace([inProcess(same.plugin), inProcess(changed.plugin, { priority: 7 }), inProcess(fresh.plugin)], []);

  expect(same.life).toEqual(['start']);
  expect(changed.life).toEqual(['start', 'stop', 'start']);
  expect(gone.life).toEqual(['start', 'stop']);
  expect(fresh.life).toEqual(['start']);
  expect(host.states().map(({ name, status }) => `${name} ${status}`)).toEqual([
    'same active',
    'changed active',
    'fresh active',
  ]);
  expect(host.commands().map(({ name }) => name)).not.toContain('gone');
  expect(await host.claim(roomInbound('!gone'))).toBe(false);
  await host.stop();
});

it('one in a thread whose files were changed runs from the new ones; its data are not code', async () => {
  const folder = tempFolder();
  const write = (file: string, text: string): void => writeFileSync(join(folder, file), text);
  write('package.json', '{ "type": "module" }');
  write('version.ts', "export const version = '1';");
  write('index.ts', "import { version } from './version.ts';\nexport default { name: 'mine', version, api: 1 };\n");
  const { host, started } = startHost([inFolder('mine', folder)]);
  await started;
  const version = () => host.states().map((state) => `${state.version} ${state.status}`);

  mkdirSync(join(folder, 'data'));
  write('data/x', 'x');
  expect(host.withNewCode()).toEqual([]);
  write('version.ts', "export const version = '2, a longer one';");
  expect(host.withNewCode()).toEqual(['mine']);
  await host.replace([inFolder('mine', folder)], []);
  expect([version(), host.withNewCode()]).toEqual([['2, a longer one active'], []]);

  write('index.ts', 'export default {');
  await host.replace([inFolder('mine', folder)], []);
  expect(host.states()).toMatchObject([{ status: 'failed' }]);
  write('index.ts', pluginCode('mine', '3'));
  await host.replace([inFolder('mine', folder)], []);
  expect(version()).toEqual(['3 active']);
  await host.stop();
});

it('one that had failed is tried again, though nothing changed', async () => {
  const { plugin } = counted('late');
  let isThere = false;
  const spec = {
    ...inProcess(plugin),
    code: {
      kind: 'in-process' as const,
      load: () => (isThere ? Promise.resolve(plugin) : Promise.reject(new Error('not installed'))),
    },
  };
  const { host, started } = startHost([spec]);
  await started;
  expect(host.states()).toMatchObject([{ status: 'failed' }]);
  isThere = true;
  await host.replace([spec], []);
  expect(host.states()).toMatchObject([{ status: 'active' }]);
  await host.stop();
});

it('one that is taken out while it starts does not come up behind our back', async () => {
  const { plugin, life } = counted('slow');
  const network = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const start = (): Promise<void> => {
    begun.resolve();
    return network.promise;
  };
  const { host, started } = startHost([inProcess({ ...plugin, start })]);
  await begun.promise;
  await host.replace([], []);
  network.resolve();
  await started;
  expect(life).toEqual(['stop']);
  expect(host.states()).toEqual([]);
  await host.stop();
});
