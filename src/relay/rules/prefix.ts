import { formatPython } from '../../util/python-format.ts';

const MAX_CUT = 20;

/** `name`, and `name1` to `name20` for its first code points, as the old relay's templates offer them. */
function withCuts(name: string, value: string): Record<string, string> {
  const points = [...value];
  const variables: Record<string, string> = { [name]: value };
  for (let length = 1; length <= MAX_CUT; length += 1) variables[`${name}${length}`] = points.slice(0, length).join('');
  return variables;
}

function render(format: string, fallback: string, variables: Readonly<Record<string, string>>): string {
  const rendered = formatPython(format, variables);
  if (rendered.ok) return rendered.text;
  const plain = formatPython(fallback, variables);
  return plain.ok ? plain.text : '';
}

export const DEFAULT_ROOM_PREFIX = '[{long}/{mesh}]: ';
export const DEFAULT_MESH_PREFIX = '{display5}[M]: ';

/** Prefix of a mesh message in a room. A format that cannot be rendered falls back to the default one. */
export function roomPrefix(
  format: string,
  names: { readonly long: string; readonly short: string; readonly mesh: string },
): string {
  if (format === '') return '';
  return render(format, DEFAULT_ROOM_PREFIX, {
    ...withCuts('long', names.long),
    ...withCuts('mesh', names.mesh),
    short: names.short,
  });
}

/** Prefix of a Matrix message on the mesh. */
export function meshPrefix(format: string, sender: { readonly display: string; readonly userId: string }): string {
  if (format === '') return '';
  const [username = '', ...server] = sender.userId.replace(/^@/, '').split(':');
  return render(format, DEFAULT_MESH_PREFIX, {
    ...withCuts('display', sender.display),
    user: sender.userId,
    username,
    server: server.join(':'),
  });
}
