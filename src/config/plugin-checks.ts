import { nearest } from '../util/nearest.ts';
import { type Draft, isMapping } from './draft.ts';
import { type Path, valueText } from './problems.ts';
import { CORE_PLUGINS } from './schema/core-plugins.ts';

const SECTION_KEY = 'require_bot_mention';

/** Names and keys of plugins that are probably slips: what the schema, open for plugins it does not know, lets pass. */
export function checkPlugins(draft: Draft): void {
  for (const section of ['plugins', 'community-plugins', 'custom-plugins'] as const) {
    const entries = draft.get([section]);
    if (!isMapping(entries)) continue;
    for (const [name, entry] of Object.entries(entries)) {
      if (name === SECTION_KEY) continue;
      const path = [section, name];
      if (!isMapping(entry) && generalKeys(draft, path).includes(name)) reportOutdented(draft, path);
      else if (section === 'plugins' && !CORE_PLUGINS.includes(name)) reportNoCore(draft, path);
      else if (isMapping(entry)) checkEntry(draft, path, entry);
    }
  }
}

function checkEntry(draft: Draft, path: Path, entry: Readonly<Record<string, unknown>>): void {
  checkChannels(draft, [...path, 'channels']);
  // Keys of core plugins are all known: there the schema has spoken.
  if (path[0] === 'plugins') return;
  for (const key of Object.keys(entry)) reportSlip(draft, [...path, key]);
  if (path[0] !== 'community-plugins' || entry.active !== true || entry.repository !== undefined) return;
  draft.report({
    severity: 'warning',
    path: [...path, 'repository'],
    message: 'is missing; the plugin cannot be fetched',
    remedy: 'add its git URL, or put a plugin of your own under custom-plugins',
    hideValue: true,
  });
}

function generalKeys(draft: Draft, path: Path): readonly string[] {
  return [...(draft.node([...path.slice(0, 1), '?'])?.children.keys() ?? [])];
}

/** `active: true` beside the name of the plugin and not below it. */
function reportOutdented(draft: Draft, path: Path): void {
  draft.report({
    severity: 'warning',
    path,
    message: 'is a key of a plugin, not a plugin, and has no effect here',
    remedy: 'indent it: it stands two spaces deeper than the name of its plugin',
  });
  draft.remove(path);
}

function reportNoCore(draft: Draft, path: Path): void {
  const entry = draft.get(path);
  const fromGit = isMapping(entry) && entry.repository !== undefined;
  const meant = nearest(String(path[1]), CORE_PLUGINS);
  const own = fromGit ? 'move it to community-plugins' : 'your own go under custom-plugins';
  draft.report({
    severity: 'warning',
    path,
    message: 'is not a core plugin and does not run',
    nearest: fromGit ? null : meant,
    remedy: fromGit || meant === null ? own : null,
    expected: fromGit || meant !== null ? null : CORE_PLUGINS.join(', '),
    hideValue: true,
  });
  if (!isMapping(entry)) draft.remove(path);
}

/** A plugin may have any key, so that only one letter too many, too few or wrong is taken for a slip. */
function reportSlip(draft: Draft, path: Path): void {
  const known = generalKeys(draft, path);
  const key = String(path.at(-1));
  const meant = known.includes(key) ? null : nearest(key, known, { maxDistance: 1 });
  if (meant === null) return;
  draft.report({
    severity: 'warning',
    path,
    message: 'is no key of every plugin; it is passed to this one',
    nearest: meant,
    hideValue: true,
  });
}

function checkChannels(draft: Draft, path: Path): void {
  const wrong = [draft.get(path) ?? []].flat().filter((channel) => channelIndex(channel) === null);
  if (wrong.length === 0) return;
  draft.report({
    severity: 'warning',
    path,
    message: `has entries that are no channel: ${wrong.map(valueText).join(', ')}; they match nothing`,
    expected: draft.expected(path),
    hideValue: true,
  });
}

/** The index of a channel, which may be written as text; null when it is none. */
export function channelIndex(value: unknown): number | null {
  const index = typeof value === 'string' && /^\s*\d+\s*$/.test(value) ? Number(value) : value;
  return typeof index === 'number' && Number.isInteger(index) ? index : null;
}
