import { join } from 'node:path';
import { processEnv } from '../../config/env.ts';
import type { AppPaths } from '../../config/paths.ts';
import type { PluginEntryConfig, RelayConfig } from '../../config/types.ts';
import { PluginHost } from '../../plugins/host/host.ts';
import type { PluginSpec, PluginTier } from '../../plugins/host/types.ts';
import { codeStamp, commitStamp } from '../../plugins/sources/code-stamp.ts';
import { type CommunityPlugin, CommunitySource } from '../../plugins/sources/community.ts';
import { customCode, customEntry } from '../../plugins/sources/entry.ts';
import type { MatrixPort } from '../../relay/ports.ts';
import type { WorldView } from '../../relay/rules/view.ts';
import type { InboxRow } from '../../relay/store-port.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { VERSION } from '../version.ts';
import { coreLoader, noCorePlugin } from './core-plugins.ts';
import { toInbound } from './inbound.ts';
import { type PluginAccessOptions, pluginAccess } from './relay-access.ts';

export interface PluginsOptions extends PluginAccessOptions {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
}

/** The host with the active plugins of the configuration; nothing of them is loaded before `start`. */
export function createPlugins(options: PluginsOptions): PluginHost {
  const { config, paths, logger, clock } = options;
  return new PluginHost({
    ...options,
    logger: logger.child('plugins'),
    plugins: pluginSpecs(config, paths, { logger: logger.child('plugins'), clock }),
    relay: pluginAccess(options),
    admins: config.matrix.admins,
    userAgent: `mmrelay/${VERSION} (+https://github.com/jeremiah-k/meshtastic-matrix-relay)`,
    timeZone: null,
  });
}

export interface PluginChange {
  /** Names of plugins whose code is new. */
  readonly renewed: readonly string[];
  /** What should run and does not, once all are up or have had their time. Never rejects. */
  readonly troubles: Promise<readonly string[]>;
}

/** A plugin may take longer, for a fetch from git; who asked for the change is not kept waiting. */
const START_WAIT_MS = 5_000;

/** Takes over the plugins and admins of another configuration, and new code of those that stay. */
export function replacePlugins(
  host: PluginHost,
  config: RelayConfig,
  { paths, logger, clock }: Pick<PluginsOptions, 'paths' | 'logger' | 'clock'>,
): PluginChange {
  const specs = pluginSpecs(config, paths, { logger: logger.child('plugins'), clock });
  const renewed = host.withNewCode();
  const waited = Promise.withResolvers<void>();
  const cancel = clock.after(START_WAIT_MS, () => waited.resolve(), { background: true });
  const replaced = host.replace(specs, config.matrix.admins).finally(cancel);
  return { renewed, troubles: Promise.race([replaced, waited.promise]).then(() => pluginTroubles(host)) };
}

/** The engine's question whether a plugin takes a message; whatever goes wrong, the answer is no. */
export function pluginClaim(
  host: PluginHost,
  { matrix, logger }: { readonly matrix: MatrixPort; readonly logger: Logger },
): (row: InboxRow, view: WorldView) => Promise<boolean> {
  return async (row, view) => {
    if (host.states().length === 0) return false;
    try {
      const inbound = toInbound(row, view, (roomId) => matrix.room(roomId));
      return inbound === null ? false : await host.claim(inbound);
    } catch (error) {
      logger.error('A message could not be shown to the plugins', { error: errorText(error) });
      return false;
    }
  };
}

/** Plugins that should run and do not, for health. */
export function pluginTroubles(host: PluginHost): readonly string[] {
  return host
    .states()
    .filter(({ reason }) => reason !== null)
    .map(({ name, reason }) => `plugin ${name}: ${reason ?? 'not running'}`);
}

/** What is to run: the active entries of the three sections, core first. */
function pluginSpecs(
  config: RelayConfig,
  paths: AppPaths,
  context: { readonly logger: Logger; readonly clock: Clock },
): readonly PluginSpec[] {
  const community = communitySource(config, paths, context);
  const spec = (tier: PluginTier, entry: PluginEntryConfig, code: PluginSpec['code']): PluginSpec => ({
    name: entry.name,
    tier,
    channels: entry.channels,
    priority: entry.priority,
    mentionRequired: entry.requireBotMention,
    schedule: entry.schedule,
    settings: entry.settings,
    dataFolder: join(paths.plugins.path, tier, entry.name, 'data'),
    code,
  });
  const active = (entries: readonly PluginEntryConfig[]): readonly PluginEntryConfig[] =>
    entries.filter((entry) => entry.active);
  return [
    ...active(config.plugins.core).map((entry) =>
      spec('core', entry, { kind: 'in-process', load: coreLoader(entry.name) ?? noSuchPlugin(entry.name) }),
    ),
    ...active(config.plugins.custom).map((entry) =>
      spec('custom', entry, {
        kind: 'worker',
        locate: async () => customEntry(paths.customPlugins.path, entry.name),
        stamp: () => codeStamp(customCode(paths.customPlugins.path, entry.name) ?? ''),
      }),
    ),
    ...active(config.plugins.community).map((entry) =>
      spec('community', entry, {
        kind: 'worker',
        locate: async () => community.prepare(communityPlugin(entry)),
        stamp: () => commitStamp(community.folder(communityPlugin(entry))),
      }),
    ),
  ];
}

/** The source of community plugins, with the policies of `security`. */
export function communitySource(
  { security }: RelayConfig,
  paths: AppPaths,
  context: { readonly logger: Logger; readonly clock: Clock },
): CommunitySource {
  return new CommunitySource({
    ...context,
    root: paths.communityPlugins.path,
    policy: { hosts: security.communityRepoHosts, allowLocal: security.allowLocalPluginPaths },
    allowUntrusted: security.allowUntrustedDependencies,
    env: processEnv(),
  });
}

/** An entry of `community-plugins` as the source wants it. @throws RelayError PLUGIN_SOURCE without a repository */
export function communityPlugin({ name, source, settings }: PluginEntryConfig): CommunityPlugin {
  if (source === null) throw new RelayError('PLUGIN_SOURCE', `community-plugins.${name} has no repository`);
  return { name, ...source, installRequirements: settings.install_requirements === true };
}

function noSuchPlugin(name: string): () => Promise<never> {
  return () => Promise.reject(new RelayError('PLUGIN_MISSING', noCorePlugin(name)));
}
