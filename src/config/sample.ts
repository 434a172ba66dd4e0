import { stringify } from 'yaml';
import { rootSchema } from './schema/root.ts';
import { type KeyNode, keyTree } from './schema/tree.ts';

/** First line of the sample: editors that speak YAML Language Server read it. */
export const SCHEMA_LINE = '# yaml-language-server: $schema=./config.schema.json';

const HEAD = [
  SCHEMA_LINE,
  '# (`mmrelay config schema > config.schema.json` writes that file for your editor.)',
  '#',
  '# Configuration of mmrelay. Lines that start with "# key:" show a default or an example: remove the # to change them.',
  '# `mmrelay config check` tells what is wrong with this file. docs/CONFIGURATION.md describes every key.',
  '#',
  '# The Matrix account: run `mmrelay auth login` once. Nothing secret needs to stand here.',
];

const WIDTH = 110;

/** Core plugins the sample switches on. */
const PLUGINS = [
  'plugins:',
  '  ping:',
  '    active: true',
  '  weather:',
  '    active: true',
  '    units: metric # metric or imperial',
  '  nodes:',
  '    active: true',
];

/** The commented sample file. sample_config.yaml equals it. */
export function sampleConfig(): string {
  const tree = keyTree(rootSchema({ radios: 'single', rooms: 'list' }));
  const sections = [...tree.children].flatMap(([name, node]) => ['', ...sectionLines(name, node)]);
  return `${[...HEAD, ...sections].join('\n')}\n`;
}

function sectionLines(name: string, node: KeyNode): string[] {
  if (name === 'plugins') return [...comment(node.meta.doc, ''), ...PLUGINS];
  if (name.endsWith('-plugins')) return [...comment(node.meta.doc, ''), ...pluginExample(name)];
  if (node.kind === 'list' && node.rest !== null) {
    return [...comment(node.meta.doc, ''), `${name}:`, ...listItem(node.rest)];
  }
  return [...comment(node.meta.doc, ''), `${name}:`, ...keyLines(node, '  ')];
}

function pluginExample(name: string): string[] {
  return name === 'community-plugins'
    ? [
        `# ${name}:`,
        '#   example:',
        '#     active: true',
        '#     repository: https://github.com/someone/example.git',
        '#     commit: abc1234',
      ]
    : [`# ${name}:`, '#   example:', '#     active: true'];
}

function listItem(item: KeyNode): string[] {
  const lines = keyLines(item, '    ');
  const first = lines.findIndex((line) => !line.trimStart().startsWith('#'));
  return lines.map((line, index) => (index === first ? line.replace(/^ {4}/, '  - ') : line));
}

function keyLines(section: KeyNode, indent: string): string[] {
  return [...section.children].flatMap(([name, node]) => {
    if (node.meta.instead !== undefined) return [];
    const doc = comment(node.meta.doc + envText(node), indent);
    if (node.kind === 'section') {
      const nested = keyLines(node, `${indent}  `).filter(
        (line) => !line.trimStart().startsWith('# ') || isKeyLine(line),
      );
      return [...doc, `${indent}# ${name}:`, ...nested];
    }
    return [...doc, valueLine(name, node, indent)];
  });
}

/** A commented key, not a sentence. */
function isKeyLine(line: string): boolean {
  return /^\s*# ? ?[a-z_]+:/.test(line);
}

function envText(node: KeyNode): string {
  return node.meta.env === undefined ? '' : ` (${node.meta.env})`;
}

function valueLine(name: string, node: KeyNode, indent: string): string {
  if (node.meta.sample !== undefined) return `${indent}${name}: ${yamlValue(node.meta.sample)}`;
  const shown = node.meta.secret ? '...' : (node.meta.example ?? node.default);
  return `${indent}# ${name}: ${shown === undefined ? '' : yamlValue(shown)}`.trimEnd();
}

/** A value on one line, as YAML. */
export function yamlValue(value: unknown): string {
  // JSON text is YAML; plain words need no quotes.
  if (
    typeof value === 'string' &&
    /^[A-Za-z0-9/~][\w./~-]*$/.test(value) &&
    !/^(yes|no|on|off|true|false|null|y|n|~)$/i.test(value)
  )
    return value;
  if (typeof value === 'string') return JSON.stringify(value);
  return stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trimEnd();
}

function comment(text: string, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && indent.length + line.length + word.length + 3 > WIDTH) {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].filter((part) => part !== '').map((part) => `${indent}# ${part}`);
}
