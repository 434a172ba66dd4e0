/** One log record for a person at a terminal: time, level, component, sentence, fields. One line, then the stack if any. */

const COLOURS: Readonly<Record<string, string>> = {
  debug: '\u001b[90m',
  info: '\u001b[36m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
};
const DIM = '\u001b[2m';
const RESET = '\u001b[0m';
const OWN = new Set(['level', 'time', 'component', 'msg']);

/** Formats a record that was written as JSON; a line that is none is given back as it is. */
export function prettyLine(jsonLine: string, colour: boolean): string {
  const record = parse(jsonLine);
  if (record === null) return jsonLine;
  const level = String(record.level);
  const paint = (code: string, text: string): string => (colour ? `${code}${text}${RESET}` : text);
  const head = `${localTime(record.time)} ${paint(COLOURS[level] ?? '', level.toUpperCase().padEnd(5))}`;
  const component = record.component === undefined ? '' : ` ${plain(record.component)}:`;
  const stacks: string[] = [];
  const fields = Object.entries(record)
    .filter(([name]) => !OWN.has(name))
    .map(([name, value]) => `${name}=${fieldText(value, stacks)}`)
    .join(' ');
  const tail = fields === '' ? '' : ` ${paint(DIM, fields)}`;
  return `${head}${component} ${plain(record.msg)}${tail}\n${stacks.map((stack) => `${indent(stack)}\n`).join('')}`;
}

function parse(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : null;
  } catch {
    return null; // not a record of ours: shown as it came
  }
}

function localTime(value: unknown): string {
  const date = new Date(typeof value === 'string' || typeof value === 'number' ? value : Number.NaN);
  if (Number.isNaN(date.getTime())) return '-';
  const two = (part: number): string => String(part).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

function fieldText(value: unknown, stacks: string[]): string {
  if (typeof value === 'object' && value !== null && 'stack' in value && 'message' in value) {
    if (typeof value.stack === 'string') stacks.push(value.stack);
    return JSON.stringify(value.message);
  }
  if (typeof value === 'string') return /^[\w!#@:./+-]+$/.test(value) ? value : plain(JSON.stringify(value));
  return plain(JSON.stringify(value) ?? 'undefined');
}

/** Names and texts come from strangers: no control characters, hence no escape sequences, reach the terminal. */
function plain(value: unknown): string {
  return String(value).replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (char) => `\\u${(char.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

function indent(text: string): string {
  return text
    .split('\n')
    .map((line) => `    ${plain(line)}`)
    .join('\n');
}
