import type { YAMLParseError } from 'yaml';
import { slipRemedy } from './slips.ts';

/** What is wrong with the text of a file, for somebody who never read the YAML specification. */
export interface SyntaxComplaint {
  readonly offset: number;
  readonly message: string;
  readonly remedy: string | null;
}

/** The parser's complaints in our words, one for each place. */
export function syntaxComplaints(errors: readonly YAMLParseError[], text: string): SyntaxComplaint[] {
  const first = errors.filter(({ pos }, index) => errors.findIndex((other) => other.pos[0] === pos[0]) === index);
  return first.map((error) => complaint(error, linesAt(text, error.pos[0])));
}

function complaint(error: YAMLParseError, lines: readonly Line[]): SyntaxComplaint {
  const code = /^Flow (?:sequence|map)/.test(error.message) ? OPEN_BRACKET : error.code;
  const [line, next] = lines;
  const slip = slipRemedy(line?.text ?? '') ?? slipRemedy(next?.text ?? '');
  if (slip === null && code === 'BLOCK_AS_IMPLICIT_KEY' && line !== undefined && next !== undefined) {
    const depth = indentation(next.text);
    if (depth > indentation(line.text)) return { ...TOO_DEEP, offset: next.offset + depth };
  }
  return { offset: error.pos[0], message: messageOf(code), remedy: slip ?? remedyOf(code) };
}

interface Line {
  readonly text: string;
  readonly offset: number;
}

/** The line of a place, and the next one that says something: the parser often stops a line before the slip. */
function linesAt(text: string, place: number): Line[] {
  const found: Line[] = [];
  let offset = text.lastIndexOf('\n', place - 1) + 1;
  for (const line of text.slice(offset).split('\n')) {
    if (offset <= place || /^\s*[^\s#]/.test(line)) found.push({ text: line, offset });
    if (found.length === 2) break;
    offset += line.length + 1;
  }
  return found;
}

function indentation(line: string): number {
  return line.length - line.trimStart().length;
}

/** The parser files it under wrong indentation. */
const OPEN_BRACKET = 'OPEN_BRACKET';

const ALIGN = 'align the keys of one section in the same column';

const TOO_DEEP = {
  message: 'not valid YAML: this line stands deeper than the one above, which has its value already',
  remedy: ALIGN,
};

/** Our own sentences: the parser's quote the text of the file, which may hold a password. */
const SYNTAX: Readonly<Record<string, string>> = {
  ALIAS_PROPS: 'an alias cannot have a tag or anchor',
  BAD_ALIAS: 'a value that starts with * or & is read as an alias',
  BAD_DIRECTIVE: 'a line that starts with % is read as a directive',
  BAD_DQ_ESCAPE: 'a backslash in double quotes starts an escape that does not exist',
  BAD_INDENT: 'the indentation does not fit the lines above',
  BAD_SCALAR_START: 'a value starts with a character that needs quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a nested mapping starts in the middle of a line',
  BLOCK_IN_FLOW: 'an indented block stands inside brackets',
  DUPLICATE_KEY: 'a key stands twice',
  IMPOSSIBLE: 'the text cannot be understood',
  KEY_OVER_1024_CHARS: 'a key is longer than 1024 characters',
  MISSING_CHAR: 'a colon, comma, quote or bracket is missing',
  MULTILINE_IMPLICIT_KEY: 'a key goes over several lines, or a colon is missing',
  [OPEN_BRACKET]: 'a bracket or brace that was opened above is not closed',
  MULTIPLE_DOCS: 'the file holds more than one document',
  TAB_AS_INDENT: 'a tab is used for indentation',
  UNEXPECTED_TOKEN: 'something stands where it does not belong',
};

function messageOf(code: string): string {
  return `not valid YAML: ${SYNTAX[code] ?? code.toLowerCase().replaceAll('_', ' ')}`;
}

function remedyOf(code: string): string | null {
  if (code === 'TAB_AS_INDENT') return 'indent with spaces, not with tabs';
  if (code === 'MULTIPLE_DOCS') return 'remove the line --- in the middle of the file';
  if (code === 'BAD_INDENT' || code === 'BLOCK_AS_IMPLICIT_KEY') return ALIGN;
  if (code === OPEN_BRACKET) return 'close it with ] or }';
  if (code === 'MISSING_CHAR') return 'check for a missing colon, quote or bracket in this line or the one above';
  if (code === 'MULTILINE_IMPLICIT_KEY') return 'write key: value, with a colon and a space';
  if (code === 'BAD_SCALAR_START' || code === 'BAD_ALIAS') return 'put the value in quotes';
  return null;
}
