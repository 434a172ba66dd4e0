import type { AppPaths } from '../../config/paths.ts';
import type { RelayConfig } from '../../config/types.ts';
import { systemClock } from '../../util/clock.ts';
import { silentLogger } from '../../util/logger.ts';
import { communitySource } from './create-plugins.ts';

export interface PluginSetup {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
}

/** Where community plugins come from, for a command: it speaks for itself. */
export function sourceOf({ config, paths }: PluginSetup): ReturnType<typeof communitySource> {
  return communitySource(config, paths, { logger: silentLogger, clock: systemClock });
}
