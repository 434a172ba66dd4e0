/** What commands are called and what follows the name. */
export interface CommandMatch {
  /** As listed. */
  readonly name: string;
  /** As typed. */
  readonly typed: string;
  readonly args: string;
}

/** The bot, as people may address it. */
export interface BotNames {
  /** null before the first login: then nothing that needs a mention matches. */
  readonly userId: string | null;
  /** null when it has none. */
  readonly displayName: string | null;
}

export interface RoomText {
  readonly body: string;
  readonly formattedBody: string | null;
}

/**
 * The command in a room message, by the rules of spec 02 section 3.11: bare, after the bot's MXID or a pill (tier A),
 * or, where a mention is required and tier A found nothing, after its display name (tier B).
 */
export function matchRoomCommand(
  text: RoomText,
  names: readonly string[],
  options: { readonly bot: BotNames; readonly mentionRequired: boolean },
): CommandMatch | null {
  const { bot, mentionRequired } = options;
  const html = text.formattedBody === null ? null : normaliseHtml(text.formattedBody, bot.userId);
  const candidates = html === null ? [text.body.trim()] : [text.body.trim(), html];
  const tries: ((candidate: string) => string | null)[] = [(candidate) => afterUserId(candidate, bot.userId)];
  if (mentionRequired) tries.push((candidate) => afterDisplayName(candidate, bot.displayName ?? bot.userId));
  else tries.unshift((candidate) => candidate);
  for (const attempt of tries) {
    for (const candidate of candidates) {
      const rest = attempt(candidate);
      const match = rest === null ? null : matchCommand(rest, names);
      if (match !== null) return match;
    }
  }
  return null;
}

/** `!name args` at the very start; the name ends at white space or the end. Longest name first. */
export function matchCommand(text: string, names: readonly string[]): CommandMatch | null {
  const word = /^!(\S+)(?:\s+([\s\S]*))?$/.exec(text);
  const typed = word?.[1] ?? '';
  const name = names.find((candidate) => candidate.toLowerCase() === typed.toLowerCase());
  return name === undefined || typed === '' ? null : { name, typed, args: (word?.[2] ?? '').trim() };
}

/** What follows `@bot:server` and an optional colon, when white space separates it. */
function afterUserId(text: string, userId: string | null): string | null {
  if (userId === null || !text.startsWith(userId)) return null;
  return /^:?\s+([\s\S]*)$/.exec(text.slice(userId.length))?.[1] ?? null;
}

function afterDisplayName(text: string, name: string | null): string | null {
  if (name === null || name === '') return null;
  const head = text.slice(0, name.length);
  if (head.toLowerCase() !== name.toLowerCase()) return null;
  return /^:?\s+([\s\S]*)$/.exec(text.slice(name.length))?.[1] ?? null;
}

const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' };

/** HTML as one line of text: reply block gone, tags to spaces, a link to the bot as its MXID. */
function normaliseHtml(html: string, userId: string | null): string {
  const withoutReply = html.replace(/<mx-reply>[\s\S]*?(?:<\/mx-reply>|$)/gi, '');
  // A link to somebody else keeps its words: a command addressed to another bot is not ours.
  const withPills = withoutReply.replace(
    /<a\b([^<>]*)>([^<]*)<\/a\s*>/gi,
    (_whole, attributes: string, label: string) =>
      userId !== null && pointsAt(attributes, userId) ? userId : label || '?',
  );
  return decodeEntities(withPills.replace(/<[^<>]*>/g, ' '))
    .replace(/\s+/g, ' ')
    .trim();
}

function pointsAt(attributes: string, userId: string): boolean {
  const match = /(?:^|\s)href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s"'>]+))/i.exec(attributes);
  const href = decodeEntities(match?.[1] ?? match?.[2] ?? match?.[3] ?? '').trim();
  const forms = [/^https?:\/\/matrix\.to\/#\/(@[^?/]+)/i, /^matrix:(@[^?/]+)/i, /^(@[^?/]+)$/];
  for (const form of forms) {
    const target = form.exec(percentDecoded(href))?.[1];
    if (target !== undefined) return target === userId;
  }
  const user = /^matrix:u\/([^?/]+)/i.exec(percentDecoded(href))?.[1];
  return user !== undefined && `@${user}` === userId;
}

function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A lone percent sign: taken as it stands.
  }
}

function decodeEntities(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,6});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
