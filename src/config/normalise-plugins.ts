import { channelIndex } from './plugin-checks.ts';
import type { ParsedConfig } from './schema/root.ts';
import type { PluginEntryConfig, PluginSectionsConfig } from './types.ts';

type ParsedSection = ParsedConfig['plugins'];
type ParsedEntry = Exclude<ParsedSection[string], boolean | undefined>;

/** The three plugin sections. Mention defaults: core plugins true, the others false, `plugins` speaks for all. */
export function normalisePlugins(parsed: ParsedConfig): PluginSectionsConfig {
  const general = parsed.plugins.require_bot_mention;
  const community = parsed['community-plugins'];
  const custom = parsed['custom-plugins'];
  return {
    core: entries(parsed.plugins, general ?? true),
    community: entries(community, community.require_bot_mention ?? general ?? false),
    custom: entries(custom, custom.require_bot_mention ?? general ?? false),
  };
}

function entries(section: ParsedSection, mention: boolean): PluginEntryConfig[] {
  return Object.entries(section).flatMap(([name, entry]) =>
    typeof entry === 'object' && name !== 'require_bot_mention' ? [pluginEntry(name, entry, mention)] : [],
  );
}

function pluginEntry(name: string, entry: ParsedEntry, mention: boolean): PluginEntryConfig {
  return {
    name,
    active: entry.active,
    channels: channels(entry.channels),
    priority: entry.priority ?? null,
    requireBotMention: entry.require_bot_mention ?? mention,
    schedule: schedule(entry.schedule),
    source: source(entry),
    settings: { ...entry },
  };
}

/** What is no channel matches nothing; an empty list: direct messages only. */
function channels(parsed: ParsedEntry['channels']): PluginEntryConfig['channels'] {
  return parsed === undefined ? null : [parsed].flat().flatMap((channel) => channelIndex(channel) ?? []);
}

function schedule(parsed: ParsedEntry['schedule']): PluginEntryConfig['schedule'] {
  if (parsed === undefined) return null;
  const everyS = (parsed.hours ?? 0) * 3600 + (parsed.minutes ?? 0) * 60 + (parsed.seconds ?? 0);
  return { at: parsed.at ?? null, everyMs: everyS > 0 ? Math.round(everyS * 1000) : null };
}

/** commit wins over tag over branch; `main` when none is named. */
function source(entry: ParsedEntry): PluginEntryConfig['source'] {
  const { repository, commit, tag, branch } = entry;
  if (repository === undefined) return null;
  if (commit !== undefined) return { repository, ref: { kind: 'commit', name: commit } };
  if (tag !== undefined) return { repository, ref: { kind: 'tag', name: tag } };
  return { repository, ref: { kind: 'branch', name: branch ?? 'main' } };
}
