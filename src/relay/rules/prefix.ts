import { firstPoints, pythonFormat } from '../../util/python-format.ts';

const DEFAULT_ROOM_PREFIX = '[{long}/{mesh}]: ';
const DEFAULT_MESH_PREFIX = '{display5}[M]: ';

/** Line breaks and other control characters, with which a name could draw a second prefix. */
const CONTROLS = /[\p{Cc}\p{Zl}\p{Zp}]+/gu;
/** Characters that turn the direction of the text after them, and those nobody sees. Joiners of emoji stay. */
const INVISIBLE = /[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/gu;
/** Longer names would leave no room for words in a packet; no Meshtastic name is longer. */
const MAX_MESH_NAME = 40;

/** A name that strangers chose, as it may stand before what they say. */
function plainName(name: string): string {
  return name.replace(CONTROLS, ' ').replace(INVISIBLE, '');
}

/** The prefix, or the default one where the format cannot be rendered; both take the same variables. */
function render(format: string, fallback: string, variables: ReadonlyMap<string, string>): string {
  if (format === '') return '';
  const rendered = pythonFormat(format, variables);
  if (rendered.ok) return rendered.text;
  const plain = pythonFormat(fallback, variables);
  return plain.ok ? plain.text : '';
}

/** Prefix of a mesh message in a room: `{long}`, `{short}`, `{mesh}`, and their cuts as `{long4}`. */
export function roomPrefix(
  format: string,
  names: { readonly long: string; readonly short: string; readonly mesh: string },
): string {
  const plain = Object.entries(names).map(([key, name]) => [key, plainName(name)] as const);
  return render(format, DEFAULT_ROOM_PREFIX, new Map(plain));
}

/** Prefix of a Matrix message on the mesh: `{display}` with its cuts, `{user}`, `{username}`, `{server}`. */
export function meshPrefix(format: string, sender: { readonly display: string; readonly userId: string }): string {
  const [username = '', ...server] = sender.userId.replace(/^@/, '').split(':');
  const variables = { display: sender.display, user: sender.userId, username, server: server.join(':') };
  const plain = Object.entries(variables).map(([key, name]) => [key, plainName(name)] as const);
  const short = plain.map(([key, name]) => [key, firstPoints(name, MAX_MESH_NAME)] as const);
  return render(format, DEFAULT_MESH_PREFIX, new Map(short));
}
