import { nearest } from '../util/nearest.ts';
import { errorCode } from '../util/relay-error.ts';
import type { Draft } from './draft.ts';
import { fileProblem, type Path } from './problems.ts';
import type { KeyNode } from './schema/tree.ts';

export type Env = Readonly<Record<string, string | undefined>>;

export interface EnvKey {
  readonly name: string;
  readonly path: Path;
  readonly secret: boolean;
  readonly doc: string;
}

/** The environment variables of the schema, in its order. The radio's are those of the first radio. */
export function envKeys(tree: KeyNode): EnvKey[] {
  const found: EnvKey[] = [];
  const visit = (node: KeyNode, path: Path): void => {
    const { env, doc } = node.meta;
    if (env !== undefined) found.push({ name: env, path, secret: node.meta.secret === true, doc });
    for (const [name, child] of node.children) visit(child, [...path, name]);
    if (node.kind === 'list' && node.rest !== null) visit(node.rest, [...path, 0]);
  };
  visit(tree, []);
  return found;
}

/** Variables whose value may also stand in the file that `<name>_FILE` names, as container secrets do. */
const FILE_VARIABLES = new Set([
  'MMRELAY_MATRIX_HOMESERVER',
  'MMRELAY_MATRIX_BOT_USER_ID',
  'MMRELAY_MATRIX_PASSWORD',
  'MMRELAY_MATRIX_ACCESS_TOKEN',
]);

export interface EnvOptions {
  readonly draft: Draft;
  readonly tree: KeyNode;
  readonly env: Env;
  readonly readSecret: (path: string) => string;
}

/** Puts the environment over the file. Blank variables count as absent. */
export function applyEnv(options: EnvOptions): void {
  const { draft, env } = options;
  const keys = envKeys(options.tree);
  reportUnknown(
    options,
    keys.map(({ name }) => name),
  );
  for (const { name, path } of keys) {
    const value = env[name];
    if (value !== undefined && value.trim() !== '') setVariable(draft, { name, path, value });
    else if (FILE_VARIABLES.has(name)) applyFileVariable(options, name, path);
  }
  applyRooms(options);
  if ((env.MMRELAY_LOG_FILE ?? '').trim() !== '') {
    draft.setFromEnv(['logging', 'log_to_file'], true, 'MMRELAY_LOG_FILE');
  }
  const logPath = env.MMRELAY_LOG_PATH ?? '';
  if (logPath.trim() !== '') draft.setFromEnv(['logging', 'filename'], logPath, 'MMRELAY_LOG_PATH');
}

/** Ours alone: `MMRELAY_PORT` and its like are made by Kubernetes and Docker for a service of that name. */
const SECTIONS = /^MMRELAY_(?:MATRIX|MESHTASTIC|LOGGING|HEALTH|DATABASE|VIRTUAL_NODE)_/;

function reportUnknown({ draft, env }: EnvOptions, names: readonly string[]): void {
  const known = new Set([...names, ROOMS, ...[...FILE_VARIABLES].map((name) => `${name}_FILE`)]);
  for (const name of Object.keys(env)) {
    if (known.has(name) || !SECTIONS.test(name)) continue;
    const message = 'is not a known variable and has no effect';
    const rest = { severity: 'warning', variable: name, nearest: nearest(name, known) } as const;
    draft.problems.push(fileProblem(null, message, rest));
  }
}

/** Words of the Python relay, by the variable that took them (its file took `network` as well). */
const OLD_WORDS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  MMRELAY_LOGGING_LEVEL: { warning: 'warn', critical: 'error' },
  MMRELAY_MESHTASTIC_CONNECTION_TYPE: { network: 'tcp' },
};

function setVariable(
  draft: Draft,
  variable: { readonly name: string; readonly path: Path; readonly value: string },
): void {
  const { name, path, value } = variable;
  const word = OLD_WORDS[name]?.[value.trim().toLowerCase()];
  if (draft.setFromEnv(path, word ?? value, name)) return;
  draft.report({
    severity: 'warning',
    path,
    message: `${name} has no effect, because the section in the file is not a mapping`,
    hideValue: true,
  });
}

function applyFileVariable(options: EnvOptions, name: string, path: Path): void {
  const variable = `${name}_FILE`;
  const file = options.env[variable] ?? '';
  if (file.trim() === '') return;
  try {
    options.draft.setFromEnv(path, options.readSecret(file), variable);
  } catch (error) {
    options.draft.setFromEnv(path, undefined, variable);
    options.draft.report({
      severity: 'error',
      path,
      message: `${variable} names a file that cannot be read (${errorCode(error) || 'failure'})`,
      remedy: `make ${file} readable for this user, or unset ${variable}`,
      hideValue: true,
    });
    options.draft.remove(path);
  }
}

const ROOMS = 'MMRELAY_MATRIX_ROOMS';

/** `!room:server=0,#alias:server=1@radio`. */
function applyRooms({ draft, env }: EnvOptions): void {
  const text = (env[ROOMS] ?? '').trim();
  if (text === '') return;
  const rooms = text.split(/[\s,]+/).filter((part) => part !== '');
  const list = rooms.map((room) => {
    const match = /^(.*?)(?:=([^=@]*)(?:@([^=]+))?)?$/.exec(room);
    const radio = match?.[3];
    return { id: match?.[1] ?? room, meshtastic_channel: match?.[2] ?? '0', ...(radio === undefined ? {} : { radio }) };
  });
  draft.setFromEnv(['matrix_rooms'], list, ROOMS);
}

/** `password_file: path` beside `password`: reads the secret in place of the key. */
export function applySecretFiles(draft: Draft, keys: readonly Path[], readSecret: (path: string) => string): void {
  for (const key of keys) {
    const fileKey = [...key.slice(0, -1), `${String(key.at(-1))}_file`];
    const file = draft.get(fileKey);
    if (typeof file !== 'string') continue;
    if (draft.get(key) !== undefined) {
      if (draft.variable(key) === null) {
        draft.report({ severity: 'warning', path: fileKey, message: `is ignored beside ${String(key.at(-1))}` });
      }
      continue;
    }
    try {
      draft.set(key, readSecret(file));
      draft.alias(fileKey, key);
    } catch (error) {
      draft.report({
        severity: 'error',
        path: fileKey,
        message: `names a file that cannot be read (${errorCode(error) || 'failure'})`,
        remedy: 'make it readable for this user',
      });
    }
  }
}

/** The environment of this process: the one place that looks at it. */
export function processEnv(): Env {
  return process.env;
}
