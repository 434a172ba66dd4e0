/**
 * `bot`, `@bot`, `bot:server` and `@bot:server:8448` as `@bot:server`; a missing server is the host of the homeserver
 * URL. The port goes: a Matrix server name in a configuration is nearly always a URL's host by mistake.
 * @returns null for a blank name
 */
export function normalizeUserId(text: string, homeserver: string): string | null {
  const bare = text.trim().replace(/^@/, '');
  const colon = bare.indexOf(':');
  const local = colon < 0 ? bare : bare.slice(0, colon);
  if (local === '') return null;
  const given = colon < 0 ? '' : bare.slice(colon + 1);
  const server = given === '' ? hostOf(homeserver) : withoutPort(given);
  return server === null || server === '' ? null : `@${local}:${server}`;
}

/** `https://` is understood where no scheme is given; trailing slashes go. */
export function normalizeHomeserverUrl(text: string): string {
  const trimmed = text.trim().replace(/\/+$/, '');
  return /^[a-z][a-z0-9+.-]*:\/\//i.test(trimmed) ? trimmed : `https://${trimmed}`;
}

function withoutPort(server: string): string {
  const bracketed = /^(\[[0-9a-f:.]+\])(?::\d+)?$/i.exec(server)?.[1];
  if (bracketed !== undefined) return bracketed;
  if ((server.match(/:/g)?.length ?? 0) > 1) return `[${server}]`;
  return server.replace(/:\d+$/, '');
}

function hostOf(homeserver: string): string | null {
  return URL.parse(normalizeHomeserverUrl(homeserver))?.hostname ?? null;
}
