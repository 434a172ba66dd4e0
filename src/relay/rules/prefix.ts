import { pythonFormat } from '../../util/python-format.ts';

const DEFAULT_ROOM_PREFIX = '[{long}/{mesh}]: ';
const DEFAULT_MESH_PREFIX = '{display5}[M]: ';

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
  return render(format, DEFAULT_ROOM_PREFIX, new Map(Object.entries(names)));
}

/** Prefix of a Matrix message on the mesh: `{display}` with its cuts, `{user}`, `{username}`, `{server}`. */
export function meshPrefix(format: string, sender: { readonly display: string; readonly userId: string }): string {
  const [username = '', ...server] = sender.userId.replace(/^@/, '').split(':');
  const variables = { display: sender.display, user: sender.userId, username, server: server.join(':') };
  return render(format, DEFAULT_MESH_PREFIX, new Map(Object.entries(variables)));
}
