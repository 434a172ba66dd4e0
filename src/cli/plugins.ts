import { type InstallResult, installPlugins, newPlugin, removePlugin, testPluginCode } from '../app/plugins/admin.ts';
import type { PluginListing } from '../app/plugins/community-setup.ts';
import { coreDescriptions } from '../app/plugins/core-plugins.ts';
import { listPlugins } from '../app/plugins/list.ts';
import type { FoundConfig } from '../config/search.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { findConfig, type GlobalFlags, homePaths, loadSetup } from './context.ts';

export interface ListFlags extends GlobalFlags {
  readonly json?: boolean;
}

/** plugins list; without a configuration too: one looks here for what to write into it. */
export async function pluginsList(flags: ListFlags): Promise<ExitCode> {
  const { found, ...listing } = findPlugins(flags);
  const rows = listPlugins(listing);
  if (flags.json === true) console.log(JSON.stringify(rows, null, 2));
  else {
    const descriptions = await coreDescriptions();
    const width = Math.max(...rows.map(({ name }) => name.length));
    for (const { name, tier, active, note } of rows)
      console.log(
        `${active ? '*' : ' '} ${name.padEnd(width)}  ${tier.padEnd(9)}  ${note || (descriptions.get(name) ?? '')}`.trimEnd(),
      );
    if (found.file === null && found.config === null)
      console.log('\nThere is no configuration yet, so none is active: `mmrelay setup` or `mmrelay config generate`.');
    else if (found.config === null)
      console.log('\nWhich are active is not known: the configuration is not valid (`mmrelay config check`).');
    console.log('\n* active. Switch one on with "active: true" in its section of the configuration.');
  }
  return EXIT.ok;
}

/** For what is done to code on the disk, the configuration need not be there, nor be valid. */
function findPlugins(flags: GlobalFlags): PluginListing & { readonly found: FoundConfig } {
  const found = findConfig(flags);
  return { config: found.config, paths: homePaths(flags, found), found };
}

/** plugins install, plugins update */
export async function pluginsInstall(flags: GlobalFlags, names: readonly string[], update: boolean): Promise<ExitCode> {
  const results = await installPlugins(loadSetup(flags), names, update);
  if (results.length === 0) console.log('community-plugins of the configuration names no plugin.');
  for (const result of results) console.log(resultLine(result));
  return results.some(({ problem }) => problem !== null) ? EXIT.runtime : EXIT.ok;
}

function resultLine({ name, commit, changed, news, problem }: InstallResult): string {
  if (problem !== null) return `${name}: ${problem}`;
  const state = `${name}: ${changed ? 'now at' : 'unchanged at'} ${commit?.slice(0, 12)}`;
  return news === null ? state : `${state}; the origin is at ${news} (set "commit:" to take it)`;
}

/** plugins remove */
export function pluginsRemove(flags: GlobalFlags, name: string): ExitCode {
  const { code, keptIn } = removePlugin(findPlugins(flags), name);
  console.log(`Removed the code: ${code}. Its entry in the configuration and its data stay.`);
  if (keptIn !== null) console.log(`It is your own, so it is kept in ${keptIn}; delete that when you like.`);
  return EXIT.ok;
}

/** plugins new */
export function pluginsNew(flags: GlobalFlags, name: string): ExitCode {
  const folder = newPlugin(homePaths(flags), name);
  console.log(`Wrote a working plugin to ${folder}.

Test it:       mmrelay plugins test ${name}
Play with it:  mmrelay demo --quiet --plugin ${name}
Switch it on:  in config.yaml
                 custom-plugins:
                   ${name}:
                     active: true`);
  return EXIT.ok;
}

/** plugins test */
export async function pluginsTest(flags: GlobalFlags, which: string): Promise<ExitCode> {
  const results = await testPluginCode(homePaths(flags), which);
  for (const { name, failure } of results)
    console.log(failure === null ? `ok    ${name}` : `FAIL  ${name}\n${failure}`);
  const failed = results.filter(({ failure }) => failure !== null).length;
  console.log(`${results.length - failed} of ${results.length} tests passed`);
  return failed === 0 && results.length > 0 ? EXIT.ok : EXIT.runtime;
}
