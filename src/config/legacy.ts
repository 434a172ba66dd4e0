import { type Draft, isMapping } from './draft.ts';
import { type Path, pathText } from './problems.ts';

/** Keys of the Python relay that have another name now, and that name. */
export const OLD_KEYS: readonly OldKey[] = [
  { from: ['db'], to: ['database'] },
  { from: ['credentials_path'], to: ['matrix', 'credentials_path'] },
  { from: ['matrix', 'user_id'], to: ['matrix', 'bot_user_id'] },
  { from: ['matrix', 'encryption'], to: ['matrix', 'e2ee'] },
];

/** The same within a radio. */
export const OLD_RADIO_KEYS: readonly OldKey[] = [
  { from: ['retry_limit'], to: ['retries'] },
  { from: ['plugin_response_delay'], to: ['message_delay'] },
  { from: ['relay_reactions'], to: ['message_interactions', 'reactions'] },
];

const LEVELS: Readonly<Record<string, string>> = { warning: 'warn', critical: 'error', fatal: 'error' };

/** Values that have another name now, by the key that takes them. */
export const OLD_WORDS: Readonly<Record<string, readonly string[]>> = {
  level: Object.keys(LEVELS),
  connection_type: ['network'],
};

export interface OldKey {
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/** Those where more is to be done than to move them. */
const PARTLY_MOVED = new Set(['db', 'encryption', 'relay_reactions']);

/** Rewrites old spellings to the present ones, with a note that names the new key. */
export function applyLegacy(draft: Draft, radioPaths: readonly Path[]): void {
  legacyDatabase(draft);
  moveAll(draft, OLD_KEYS, []);
  legacyEncryption(draft);
  legacyLevel(draft);
  shorthandDirectMessages(draft);
  for (const path of radioPaths) legacyRadio(draft, path);
}

function moveAll(draft: Draft, keys: readonly OldKey[], parent: Path): void {
  for (const { from, to } of keys)
    if (!PARTLY_MOVED.has(from.at(-1) ?? '')) rename(draft, [...parent, ...from], [...parent, ...to]);
}

/** Moves a value unless the new key is there already. */
function rename(draft: Draft, from: Path, to: Path): void {
  if (draft.get(from) === undefined) return;
  const taken = draft.get(to) !== undefined && draft.get(to) !== null;
  // Of a key that is old by any name is told later what to do instead.
  if (taken || draft.node(to)?.meta.instead === undefined) {
    draft.report({
      severity: 'note',
      path: from,
      message: taken ? 'is an old key, ignored beside the new one' : 'is an old spelling',
      remedy: `write ${pathText(to)}`,
      hideValue: true,
    });
  }
  if (taken) draft.remove(from);
  else draft.move(from, to);
}

function legacyDatabase(draft: Draft): void {
  const old = draft.get(['db']);
  if (old === undefined) return;
  if (!isMapping(old)) {
    rename(draft, ['db'], ['database']);
    return;
  }
  for (const name of Object.keys(old)) {
    if (name === 'msg_map' && isMapping(old.msg_map) && isMapping(draft.get(['database', 'msg_map']))) {
      rename(draft, ['db', 'msg_map', 'wipe_on_restart'], ['database', 'msg_map', 'wipe_on_restart']);
    } else rename(draft, ['db', name], ['database', name]);
  }
  draft.remove(['db']);
}

function legacyEncryption(draft: Draft): void {
  if (!isMapping(draft.get(['matrix', 'encryption']))) return;
  // Either spelling switched encryption on in the old relay.
  if (draft.get(['matrix', 'encryption', 'enabled']) === true && draft.get(['matrix', 'e2ee', 'enabled']) === false) {
    draft.remove(['matrix', 'e2ee', 'enabled']);
  }
  rename(draft, ['matrix', 'encryption', 'enabled'], ['matrix', 'e2ee', 'enabled']);
  rename(draft, ['matrix', 'encryption', 'store_path'], ['matrix', 'e2ee', 'store_path']);
  const rest = draft.get(['matrix', 'encryption']);
  if (isMapping(rest) && Object.keys(rest).length === 0) draft.remove(['matrix', 'encryption']);
}

function legacyLevel(draft: Draft): void {
  const level = draft.get(['logging', 'level']);
  const known = typeof level === 'string' ? LEVELS[level.trim().toLowerCase()] : undefined;
  if (known !== undefined) draft.set(['logging', 'level'], known);
}

function shorthandDirectMessages(draft: Draft): void {
  const value = draft.get(['direct_messages']);
  if (typeof value !== 'string' && typeof value !== 'boolean') return;
  const mode = value === false ? 'off' : value === true ? 'rooms' : value;
  draft.set(['direct_messages'], { mode });
  draft.alias(['direct_messages'], ['direct_messages', 'mode']);
}

function legacyRadio(draft: Draft, radio: Path): void {
  if (!isMapping(draft.get(radio))) return;
  const connection = [...radio, 'connection_type'];
  const type = draft.get(connection);
  if (typeof type === 'string' && type.trim().toLowerCase() === 'network') {
    draft.report({ severity: 'note', path: connection, message: 'is an old spelling', remedy: 'write tcp' });
    draft.set(connection, 'tcp');
  }
  moveAll(draft, OLD_RADIO_KEYS, radio);
  shortSwitch(draft, [...radio, 'message_interactions'], ['reactions', 'replies']);
  legacyReactions(draft, radio);
}

/** `section: true` for a section of switches. */
function shortSwitch(draft: Draft, section: Path, switches: readonly string[]): void {
  const value = draft.get(section);
  if (typeof value !== 'boolean') return;
  draft.report({
    severity: 'note',
    path: section,
    message: `is read as ${switches.map((name) => `${name}: ${value}`).join(', ')}`,
    expected: draft.expected(section),
    hideValue: true,
  });
  draft.set(section, Object.fromEntries(switches.map((name) => [name, value])));
}

/** The old defaults of a section that is there: what is not named is off. */
function legacyReactions(draft: Draft, radio: Path): void {
  const section = [...radio, 'message_interactions'];
  const old = [...radio, 'relay_reactions'];
  const present = isMapping(draft.get(section));
  if (draft.get(old) !== undefined && draft.get(old) !== null && !present) {
    rename(draft, old, [...section, 'reactions']);
    draft.set([...section, 'replies'], false);
  } else rename(draft, old, [...section, 'reactions']);
  if (!present) return;
  for (const name of ['reactions', 'replies']) {
    const value = draft.get([...section, name]);
    if (value === undefined || value === null) draft.set([...section, name], false);
  }
}
