import { envKeys } from './env.ts';
import { yamlValue } from './sample.ts';
import { rootSchema } from './schema/root.ts';
import { expectedText, type KeyNode, keyTree } from './schema/tree.ts';

const HEAD = `# Configuration

This page is made from the schema in \`src/config/schema\`; a test keeps the two equal. Do not edit it by hand.

The file is YAML, read as the Python relay read it (\`yes\`, \`no\`, \`on\`, \`off\` are booleans). It is looked for in this order:
\`--config\`, \`MMRELAY_CONFIG\`, \`config.yaml\` in the home folder, in the working directory, in \`~/.mmrelay\`, and in the
platform's data directory. The first one counts. \`mmrelay config check\` names every problem with its line and column.

Command line beats environment beats file beats default. Times are numbers of seconds or texts such as \`90s\`, \`30m\`, \`12h\`.
Old spellings of the Python relay keep working; \`mmrelay config check\` names the new ones. A bad value is an error; of keys
marked "lenient" it is a warning, and the default is used, as before.

Secrets are best kept out of the file: \`mmrelay auth login\` stores what is needed. Else use \`password_file\`, the environment,
or the environment variable with \`_FILE\` appended, which names a file.
`;

/** docs/CONFIGURATION.md. */
export function configurationPage(): string {
  const tree = keyTree(rootSchema({ radios: 'single', rooms: 'list' }));
  const sections = [...tree.children].map(([name, node]) => sectionText(name, node));
  return [HEAD, ...sections, environmentText(tree)].join('\n');
}

function sectionText(name: string, node: KeyNode): string {
  const keys = node.kind === 'list' && node.rest !== null ? node.rest : node;
  const rows = [...(keys.rest === null ? [] : rowsOf(keys.rest, '<plugin>.')), ...rowsOf(keys, '', keys.rest)];
  const extra = EXTRA[name] ?? '';
  return [
    `## \`${name}\``,
    '',
    `${node.meta.doc}${extra}`,
    '',
    '| key | default | takes | meaning |',
    '|---|---|---|---|',
    ...rows,
    '',
  ].join('\n');
}

const EXTRA: Readonly<Record<string, string>> = {
  matrix_rooms:
    ' A list of rooms (or a mapping whose values are rooms). A room that stands with several channels shows them all; what is said in it goes to the first. `MMRELAY_MATRIX_ROOMS` gives the list as `#alias:server=0,!id:server=1@radio`.',
  direct_messages: ' `direct_messages: off` and `direct_messages: rooms` are short forms of `mode`.',
};

/** Keys that all entries of the section have stand there once. */
function rowsOf(section: KeyNode, prefix: string, common: KeyNode | null = null): string[] {
  return [...section.children].flatMap(([name, node]) => {
    if (node.kind !== 'section') return [row(`${prefix}${name}`, node)];
    const own = [...node.children].filter(([child]) => !common?.children.has(child));
    return rowsOf({ ...node, children: new Map(own) }, `${prefix}${name}.`);
  });
}

function row(path: string, node: KeyNode): string {
  const { meta } = node;
  const notes = [
    meta.doc,
    meta.env === undefined ? '' : `Environment: \`${meta.env}\`.`,
    meta.instead === undefined ? '' : `Old: ${meta.instead}.`,
    meta.tolerant ? 'Lenient.' : '',
  ];
  const fallback = node.default === undefined ? (node.required ? 'required' : '') : `\`${yamlValue(node.default)}\``;
  return `| \`${path}\` | ${cell(fallback)} | ${cell(expectedText(node))} | ${cell(notes.filter(Boolean).join(' '))} |`;
}

function cell(text: string): string {
  return text.replaceAll('|', '\\|');
}

const OTHER_VARIABLES: readonly (readonly [string, string])[] = [
  ['MMRELAY_HOME', 'The home folder; `~/.mmrelay` by default.'],
  ['MMRELAY_BASE_DIR, MMRELAY_DATA_DIR', 'Old names of it, in that order.'],
  ['MMRELAY_CONFIG', 'The configuration file.'],
  ['MMRELAY_MATRIX_ROOMS', 'The rooms, as `#alias:server=0,!id:server=1`.'],
  [
    'MMRELAY_MATRIX_HOMESERVER_FILE, MMRELAY_MATRIX_BOT_USER_ID_FILE, MMRELAY_MATRIX_PASSWORD_FILE, MMRELAY_MATRIX_ACCESS_TOKEN_FILE',
    'Files that hold the value.',
  ],
  ['MMRELAY_LOG_PATH', 'The log file, before `MMRELAY_LOG_FILE` (which also switches file logging on).'],
  ['NO_COLOR', 'No colours.'],
  ['FORCE_COLOR', 'Colours also where no terminal is; `0`: none.'],
  [
    'TERM, LC_ALL, LC_CTYPE, LANG',
    'Terminals and locales that cannot show symbols (`TERM=dumb`, `LANG=C`) get words instead.',
  ],
];

function environmentText(tree: KeyNode): string {
  const keys = envKeys(tree).map(({ name, path }) => `| \`${name}\` | \`${path.join('.')}\` |`);
  const others = OTHER_VARIABLES.map(
    ([names, text]) =>
      `| ${names
        .split(', ')
        .map((name) => `\`${name}\``)
        .join(', ')} | ${text} |`,
  );
  return ['## Environment', '', '| variable | key or meaning |', '|---|---|', ...others, ...keys, ''].join('\n');
}
