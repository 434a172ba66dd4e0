import type { AppPaths } from '../../config/paths.ts';
import type { RelayConfig } from '../../config/types.ts';
import { listPlugins } from '../plugins/list.ts';
import { type Finding, findingsOf } from './finding.ts';

/** Active plugins whose code is not there, or is none: what a start would find, without running any of it. */
export function checkPlugins(config: RelayConfig | null, paths: AppPaths): Finding[] {
  const finding = findingsOf('plugins');
  if (config === null) return [finding('info', 'not checked: the configuration is not valid')];
  const active = listPlugins({ config, paths }).filter((row) => row.active);
  const broken = active
    .filter((row) => row.broken)
    .map(({ name, tier, note }) =>
      finding('warning', `${name} (${tier}): ${note}`, '`mmrelay plugins list` shows all'),
    );
  return broken.length > 0
    ? broken
    : [finding('ok', active.length === 0 ? 'none is active' : `${active.length} active`)];
}
