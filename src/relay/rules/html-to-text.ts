/**
 * Matrix HTML (the subset of the client-server spec, section 11.3.1.1) as text that reads well on a small screen:
 * links as text and address, lists with dashes or numbers, quotes with `>`, code as is, mentions as names, spoilers
 * hidden. Tolerant of anything: unknown tags vanish, unclosed ones end at the end. Linear in the input.
 */
export function htmlToText(html: string): string {
  const writer = new TextWriter();
  // No part of a tag may reach over the next `<`: that is what keeps hostile input linear.
  const token = /<!--[\s\S]*?(?:-->|$)|<(\/?)([a-zA-Z][a-zA-Z0-9-]*)((?:"[^"<]*"|'[^'<]*'|[^<>"'])*)>|[^<]+|</g;
  for (const match of html.matchAll(token)) {
    const [whole, slash, name, attributes] = match;
    if (name !== undefined) writer.tag(name.toLowerCase(), slash === '/', attributes ?? '');
    else if (!whole.startsWith('<!--')) writer.text(decodeEntities(whole));
  }
  return writer.finish();
}

const ENTITIES: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
  nbsp: ' ',
};

function decodeEntities(text: string): string {
  return text.replace(/&(#x[0-9a-f]{1,6}|#\d{1,7}|[a-z]{2,8});/gi, (whole, name: string) => {
    if (!name.startsWith('#')) return ENTITIES[name.toLowerCase()] ?? whole;
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number.parseInt(name.slice(1), 10);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}

function attribute(attributes: string, name: string): string | null {
  const match = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)'|([^\\s>]+))`, 'i').exec(attributes);
  return match === null ? null : decodeEntities(match[1] ?? match[2] ?? match[3] ?? '');
}

const BLOCKS = new Set([
  'p',
  'div',
  'blockquote',
  'ul',
  'ol',
  'pre',
  'table',
  'tr',
  'h1',
  'h2',
  'h3',
  'h4',
  'h5',
  'h6',
  'hr',
  'details',
]);
const MENTION = /^(?:https:\/\/matrix\.to\/#\/|matrix:)/i;

interface Link {
  readonly href: string;
  readonly start: number;
}

/** One per conversion. Holds the output so far and the open lists, quotes, links and skipped elements. */
class TextWriter {
  #out = '';
  #quotes = 0;
  #skip = 0;
  #pre = 0;
  #spoiler: number | null = null;
  #spoilerTags: boolean[] = [];
  #lists: { readonly ordered: boolean; next: number }[] = [];
  #links: (Link | null)[] = [];

  text(text: string): void {
    if (this.#skip > 0) return;
    const clean = this.#pre > 0 ? text : text.replace(/\s+/g, ' ');
    if (clean === ' ' && (this.#out === '' || this.#out.endsWith('\n'))) return;
    const start = this.#out === '' || this.#out.endsWith('\n');
    this.#out += (start ? '> '.repeat(this.#quotes) : '') + (start && this.#pre === 0 ? clean.trimStart() : clean);
  }

  tag(name: string, closing: boolean, attributes: string): void {
    if (name === 'mx-reply' || name === 'script' || name === 'style')
      this.#skip = Math.max(0, this.#skip + (closing ? -1 : 1));
    else if (this.#skip > 0) return;
    else if (name === 'br') this.#out += '\n';
    else if (name === 'a') this.#link(closing, attributes);
    else if (name === 'li') this.#item(closing);
    else if (name === 'span') this.#span(closing, attributes);
    else if (name === 'del' || name === 's') this.text('~');
    else if (name === 'img' && !closing)
      this.text(attribute(attributes, 'alt') ?? attribute(attributes, 'title') ?? '');
    else if (name === 'td' || name === 'th') this.text(closing ? ' ' : '');
    else if (BLOCKS.has(name)) this.#block(name, closing);
  }

  finish(): string {
    return this.#out
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n')
      .replace(/\n{3,}/g, '\n\n')
      .trim();
  }

  #block(name: string, closing: boolean): void {
    if (this.#out !== '' && !this.#out.endsWith('\n')) this.#out += '\n';
    if (name === 'blockquote') this.#quotes = Math.max(0, this.#quotes + (closing ? -1 : 1));
    if (name === 'pre') this.#pre = Math.max(0, this.#pre + (closing ? -1 : 1));
    if (name !== 'ul' && name !== 'ol') return;
    if (closing) this.#lists.pop();
    else this.#lists.push({ ordered: name === 'ol', next: 1 });
  }

  #item(closing: boolean): void {
    if (this.#out !== '' && !this.#out.endsWith('\n')) this.#out += '\n';
    if (closing) return;
    const list = this.#lists.at(-1);
    const indent = '  '.repeat(Math.max(0, this.#lists.length - 1));
    this.#out += `${'> '.repeat(this.#quotes)}${indent}${list?.ordered ? `${list.next}. ` : '- '}`;
    if (list !== undefined) list.next += 1;
  }

  #span(closing: boolean, attributes: string): void {
    if (!closing) {
      const spoiler = /(?:^|\s)data-mx-spoiler(?:\s|=|\/|$)/i.test(attributes);
      this.#spoilerTags.push(spoiler);
      if (spoiler && this.#spoiler === null) this.#spoiler = this.#out.length;
      return;
    }
    if (this.#spoilerTags.pop() !== true || this.#spoiler === null || this.#spoilerTags.includes(true)) return;
    this.#out = `${this.#out.slice(0, this.#spoiler)}[spoiler]`;
    this.#spoiler = null;
  }

  #link(closing: boolean, attributes: string): void {
    if (!closing) {
      const href = attribute(attributes, 'href');
      this.#links.push(href === null ? null : { href, start: this.#out.length });
      return;
    }
    const link = this.#links.pop() ?? null;
    if (link === null || MENTION.test(link.href)) return;
    const label = this.#out.slice(link.start).trim();
    if (!/^(?:https?|mailto|geo|tel):/i.test(link.href)) return;
    if (label === '' || sameAddress(label, link.href)) this.#out = this.#out.slice(0, link.start) + link.href;
    else this.#out += ` (${link.href})`;
  }
}

function sameAddress(label: string, href: string): boolean {
  const plain = (address: string): string => address.replace(/^(?:https?:\/\/|mailto:)/i, '').replace(/\/$/, '');
  return plain(label) === plain(href);
}
