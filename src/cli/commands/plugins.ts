import type { ExitCode } from '../../util/exit-code.ts';
import type { GlobalFlags } from '../context.ts';
import type { ListFlags } from '../plugins.ts';
import { addCommand, type Registry } from './registry.ts';

/** plugins ... */
export function addPluginCommands(registry: Registry): void {
  const plugins = registry.program.command('plugins').description('plugins: list, install, update, remove, new, test');
  const load = () => import('../plugins.ts');
  const add = (
    usage: string,
    description: string,
    run: (flags: GlobalFlags, args: readonly string[]) => Promise<ExitCode>,
  ) => addCommand(registry, plugins, { usage, description }, run);
  add('list', 'every plugin: what it does, or what is wrong with it', async (flags: ListFlags) =>
    (await load()).pluginsList(flags),
  ).option('--json', 'as JSON');
  add('install [names...]', 'fetch the community plugins of the configuration', async (flags, args) =>
    (await load()).pluginsInstall(flags, args, false),
  );
  add('update [names...]', 'the same, and ask their origins for news', async (flags, args) =>
    (await load()).pluginsInstall(flags, args, true),
  );
  add('remove <name>', 'remove the code of a plugin', async (flags, [name = '']) =>
    (await load()).pluginsRemove(flags, name),
  );
  add('new <name>', 'write a working example of a plugin of your own', async (flags, [name = '']) =>
    (await load()).pluginsNew(flags, name),
  );
  add('test <name>', 'check a plugin and run its tests; a path for one elsewhere', async (flags, [name = '']) =>
    (await load()).pluginsTest(flags, name),
  );
}
