import type { AppPaths } from '../../config/paths.ts';
import type { PluginEntryConfig, RelayConfig } from '../../config/types.ts';
import { systemClock } from '../../util/clock.ts';
import { silentLogger } from '../../util/logger.ts';
import { communityPlugin, communitySource } from './create-plugins.ts';

export interface PluginSetup {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
}

export interface PluginListing {
  /** null: there is none yet; or none that is valid; what is on the disk is there all the same. */
  readonly config: RelayConfig | null;
  readonly paths: AppPaths;
}

/** Where community plugins come from, for a command: it speaks for itself. */
export function sourceOf({ config, paths }: PluginSetup): ReturnType<typeof communitySource> {
  return communitySource(config, paths, { logger: silentLogger, clock: systemClock });
}

/** Where the code of an entry goes; null: it does not say where from. */
export function checkoutOf(setup: PluginSetup, entry: PluginEntryConfig): string | null {
  try {
    return sourceOf(setup).folder(communityPlugin(entry));
  } catch {
    return null; // Its own row says what is wrong.
  }
}
