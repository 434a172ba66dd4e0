import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkLegacy } from '../../../src/app/doctor/legacy-check.ts';
import { resolvePaths } from '../../../src/config/paths.ts';
import { CREDENTIALS, home13, oldDatabase, put, scratch } from '../../support/old-homes.ts';

function look(root: string): string[] {
  const env = { HOME: root };
  const paths = resolvePaths({ cli: { home: join(root, 'home') }, env, cwd: root });
  return checkLegacy(paths, env).map(
    ({ status, text, remedy }) => `${status}: ${text.replaceAll(root, '~')}${remedy === null ? '' : ` -> ${remedy}`}`,
  );
}

test('nothing is left in a new home', () => {
  expect(look(scratch())).toEqual(['ok: none needed']);
});

test('what is used in its old place, and what lies there unused', () => {
  const root = scratch();
  home13(join(root, 'home'));
  oldDatabase(join(root, 'home', 'meshtastic.sqlite'));
  expect(look(root)).toEqual([
    'info: ~/home/matrix/credentials.json lies where an older version kept it, and is used there',
    'info: ~/home/data/meshtastic.sqlite lies where an older version kept it, and is used there',
    'info: ~/home/matrix/store lies where an older version kept it, and is used there',
    'info: ~/home/meshtastic.sqlite is of an older version, and not used -> look with `mmrelay migrate --dry-run`, then `mmrelay migrate`',
  ]);
});

test('an interrupted migration comes first', () => {
  const root = scratch();
  const manifest = {
    version: 1,
    home: join(root, 'home'),
    stamp: 's',
    phase: 'staged',
    files: [],
    aside: [],
    rows: {},
  };
  put(join(root, 'home', '.migration', 'manifest.json'), JSON.stringify(manifest));
  expect(look(root)).toEqual([
    'warning: a migration was interrupted -> run `mmrelay migrate` to finish it, or `mmrelay migrate --undo`',
  ]);
});

test('what cannot be read is told, and ends no doctor', () => {
  const root = scratch();
  put(join(root, 'home', '.migration', 'manifest.json'), '{');
  expect(look(root)).toEqual([expect.stringMatching(/^warning: .*manifest\.json cannot be read/)]);
});

test('remains of 1.4, Python plugins, its systemd unit, a session in the home of the user', () => {
  const root = scratch();
  const home = join(root, 'home');
  put(join(home, 'database', '.migration_backups', 'meshtastic.sqlite.bak.20260101_000000'), '');
  put(join(home, 'plugins', 'custom', 'mine', 'plugin.py'), '');
  put(join(home, 'plugins', 'community', 'ported', 'index.js'), '');
  put(
    join(root, '.config', 'systemd', 'user', 'mmrelay.service'),
    '[Service]\nEnvironment=PYTHONUNBUFFERED=1\nExecStart=%h/.local/bin/mmrelay --home %h/.mmrelay\n',
  );
  put(join(root, 'credentials.json'), CREDENTIALS);
  expect(look(root)).toEqual([
    'info: ~/credentials.json looks like a session of an early relay -> move it to ~/home/credentials.json'.replace(
      '~/home/credentials.json',
      join(home, 'credentials.json'),
    ),
    'info: ~/home/database/.migration_backups was left by the migration of 1.4 -> delete it when you are sure',
    'info: 1 Python plugin cannot run here: mine -> docs/PLUGINS.md has the core plugins, and how to port one',
    'warning: ~/.config/systemd/user/mmrelay.service starts the Python relay -> run `mmrelay service migrate`',
  ]);
});
