/** Plugins of mmrelay 1.x that people have, and what does their work now. */
const REPLACEMENTS: readonly { readonly pattern: RegExp; readonly use: string }[] = [
  { pattern: /ping/, use: 'The core plugin "ping" does this' },
  { pattern: /weather|forecast/, use: 'The core plugin "weather" does this' },
  { pattern: /telemetry|battery|stats/, use: 'The core plugins "telemetry" and "health" do this' },
  { pattern: /map|position/, use: 'The core plugin "map" does this' },
  { pattern: /trace/, use: 'The core plugin "trace" does this' },
  { pattern: /node/, use: 'The core plugins "nodes" and "who" do this' },
  { pattern: /drop|mailbox/, use: 'The core plugin "drop" does this' },
];

/** What a person with a Python plugin of this name can do, in a sentence or two. */
export function replacementFor(name: string): string {
  const known = REPLACEMENTS.find(({ pattern }) => pattern.test(name.toLowerCase()));
  const own = `docs/PLUGINS.md shows how to carry its code over ("mmrelay plugins new ${name}" begins it).`;
  return known === undefined ? own : `${known.use} (plugins.<name>.active: true). Otherwise ${own}`;
}
