/**
 * The small Markdown that plugins write, as Matrix HTML: paragraphs, line breaks, `- ` and `1. ` lists, headings, code
 * blocks, and within a line bold, italics, code and links. Everything else is text, and text is escaped.
 */
export function markdownToHtml(markdown: string): string {
  const blocks: string[] = [];
  const lines = markdown.replaceAll('\r\n', '\n').split('\n');
  while (lines.length > 0) blocks.push(takeBlock(lines));
  return blocks.filter((block) => block !== '').join('');
}

/** Takes the lines of one block off the front. */
function takeBlock(lines: string[]): string {
  const first = lines.shift() ?? '';
  if (first.trim() === '') return '';
  if (first.startsWith('```')) {
    const end = lines.findIndex((line) => line.startsWith('```'));
    const code = lines.splice(0, end === -1 ? lines.length : end + 1);
    return `<pre><code>${escapeHtml((end === -1 ? code : code.slice(0, -1)).join('\n'))}</code></pre>`;
  }
  const heading = /^(#{1,6}) (.*)$/.exec(first);
  if (heading !== null) return `<h${heading[1]?.length}>${inline(heading[2] ?? '')}</h${heading[1]?.length}>`;
  for (const { tag, pattern } of LISTS) {
    if (!pattern.test(first)) continue;
    const items = [first, ...takeWhile(lines, (line) => pattern.test(line))];
    return `<${tag}>${items.map((item) => `<li>${inline(item.replace(pattern, ''))}</li>`).join('')}</${tag}>`;
  }
  const rest = takeWhile(lines, (line) => line.trim() !== '' && !/^(?:```|#{1,6} |[-*] |\d{1,3}\. )/.test(line));
  return `<p>${[first, ...rest].map(inline).join('<br>')}</p>`;
}

const LISTS = [
  { tag: 'ul', pattern: /^[-*] +/ },
  { tag: 'ol', pattern: /^\d{1,3}\. +/ },
] as const;

function takeWhile(lines: string[], test: (line: string) => boolean): string[] {
  const end = lines.findIndex((line) => !test(line));
  return lines.splice(0, end === -1 ? lines.length : end);
}

/** Code first, so that nothing inside it counts. */
function inline(text: string): string {
  return text
    .split(/(`[^`]+`)/)
    .map((part) =>
      /^`[^`]+`$/.test(part) ? `<code>${escapeHtml(part.slice(1, -1))}</code>` : emphasis(escapeHtml(part)),
    )
    .join('');
}

function emphasis(html: string): string {
  return html
    .replace(/\[([^\]]{1,500})\]\((https?:\/\/[^\s()]{1,2000})\)/g, '<a href="$2">$1</a>')
    .replace(/\*\*(\S(?:[^*]{0,2000}\S)?)\*\*/g, '<strong>$1</strong>')
    .replace(/(?<![\w*])\*(\S(?:[^*]{0,2000}\S)?)\*(?![\w*])/g, '<em>$1</em>');
}

function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
