import type { AppPaths } from '../../config/paths.ts';
import { fileProblem, type Problem } from '../../config/problems.ts';
import type { FoundConfig } from '../../config/search.ts';
import { listPlugins, type PluginRow } from './list.ts';

const SECTIONS: Readonly<Record<PluginRow['tier'], string>> = {
  core: 'plugins',
  custom: 'custom-plugins',
  community: 'community-plugins',
};

/**
 * Plugins that are switched on and could not start, with their line: what only the disk tells (no code, Python, a
 * repository that is not allowed). Names and keys the schema has judged already.
 */
export function pluginProblems(found: FoundConfig, paths: AppPaths): readonly Problem[] {
  const { config, file } = found;
  if (config === null) return [];
  return listPlugins({ config, paths })
    .filter(({ active, broken, tier }) => active && broken && tier !== 'core')
    .map(({ name, tier, note }) =>
      fileProblem(file, `does not run: ${note}`, {
        severity: 'warning',
        path: `${SECTIONS[tier]}.${name}`,
        ...found.place([SECTIONS[tier], name]),
      }),
    );
}
