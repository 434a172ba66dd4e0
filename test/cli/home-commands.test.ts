import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openStore } from '../../src/store/open-store.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { home13, home14, put } from '../support/old-homes.ts';
import { cliBox } from './run-cli.ts';
import { stableDoctor } from './stable-doctor.ts';

const CONFIG = `
matrix_rooms: [{id: "#mesh:example.org", meshtastic_channel: 0}]
meshtastic: {connection_type: tcp, host: 127.0.0.1, port: 1, meshnet_name: Test}
`;

test('doctor of a home of 1.3: word for word but for the machine, exit 0; --migration fails until it is migrated', async () => {
  const { run, home } = cliBox();
  home13(home);
  put(join(home, 'config.yaml'), CONFIG);
  const { code, out } = await run('doctor', '--offline');
  expect(code).toBe(0);
  expect(stableDoctor(out)).toMatchInlineSnapshot(`
    "📝 Configuration:
       ✅ <root>/.mmrelay/config.yaml: valid

    🏃 Daemon:
       ℹ️  no relay runs on <root>/.mmrelay
          → start it with \`mmrelay\`

    🏠 Home:
       ✅ <root>/.mmrelay can be written
       ⚠️  <root>/.mmrelay/matrix/credentials.json can be read by every user of this machine
          → chmod 600 <root>/.mmrelay/matrix/credentials.json
       ⚠️  <root>/.mmrelay/data/meshtastic.sqlite can be read by every user of this machine
          → chmod 600 <root>/.mmrelay/data/meshtastic.sqlite

    🕒 Clock:
       ✅ <date> UTC; not compared with the homeserver's

    🔐 E2EE:
       ✅ available; 1 file in <root>/.mmrelay/matrix/store
       ℹ️  1 key file of the Python relay in <root>/.mmrelay/matrix/store: of no use here, and kept

    💬 Matrix:
       ✅ session of @relay:example.org on https://example.org

    📡 Radio:
       ℹ️  default: 127.0.0.1:1, not tried

    💾 Disk Space:
       <disk>

    🗄️  Database:
       ✅ <root>/.mmrelay/data/meshtastic.sqlite: <size>, schema of mmrelay 1.x, Journal: WAL mode

    🧩 Plugins:
       ✅ none is active

    🔄 Migration Status:
       ℹ️  <root>/.mmrelay/matrix/credentials.json lies where an older version kept it, and is used there
       ℹ️  <root>/.mmrelay/data/meshtastic.sqlite lies where an older version kept it, and is used there
       ℹ️  <root>/.mmrelay/matrix/store lies where an older version kept it, and is used there
          → look with \`mmrelay migrate --dry-run\`, then \`mmrelay migrate\`

    ⚠️  It works: 0 errors, 2 warnings.
    "
  `);
  const asked = await run('doctor', '--offline', '--migration');
  expect(asked.code).toBe(1);
  expect(asked.out).toContain('🧭 Migration Verification:\n   ❌ Legacy data exists and migration is still required');
  expect((await run('verify-migration')).code).toBe(1);

  const planned = await run('migrate', '--dry-run', '--home', '<root>/.mmrelay');
  expect(planned.code).toBe(0);
  expect(planned.out.replace(/\d+ bytes/, '<bytes>')).toMatchInlineSnapshot(`
    "MMRelay Migration
    =================
    Mode: DRY RUN
    Force overwrite: no
    MMRELAY_HOME: <root>/.mmrelay
    Legacy sources detected: HOME (same-home legacy data)

    ✅ Dry-run completed successfully
      ✅ credentials:
         from: <root>/.mmrelay/matrix/credentials.json
           to: <root>/.mmrelay/credentials.json
       action: MOVE
        files: 1
         note: no changes were made
      ✅ store:
         from: <root>/.mmrelay/matrix/store/olm.db
           to: <root>/.mmrelay/store/olm.db
       action: MOVE
        files: 1
         note: no changes were made
      ✅ database:
         from: <root>/.mmrelay/data
           to: <root>/.mmrelay/database
       action: MOVE
        files: 3
         note: no changes were made
      ℹ️  Encryption keys of the Python relay cannot be used; they are kept. For encrypted rooms run \`mmrelay auth login\`.

    Summary: 5 files to move, <bytes>, 0 conflicts
    Next step: run \`mmrelay migrate\` to apply changes.
    Verification: run \`mmrelay verify-migration\`.
    "
  `);
  const done = await run('migrate');
  expect(done).toMatchObject({ code: 0, out: expect.stringContaining('✅ Migration completed successfully') });
  expect(done.out).toContain('rows: longnames 1, message_map 2, plugin_data 1, shortnames 0');
  expect((await run('doctor', '--offline', '--migration')).out).toContain('✅ nothing is left to migrate');
  expect((await run('verify-migration')).out).toContain('✅ Migration verification PASSED');
  expect((await run('migrate', '--undo')).out).toContain('✅ Migration undone');
  expect(existsSync(join(home, 'matrix', 'credentials.json'))).toBe(true);
});

test('doctor as JSON, and with a broken configuration exit 1', async () => {
  const { run, home } = cliBox();
  put(join(home, 'config.yaml'), 'meshtastic: [');
  const { code, out } = await run('doctor', '--offline', '--json');
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject({
    healthy: false,
    daemon: { running: false },
    versions: { node: process.version },
  });
});

test('another installation is named, not touched (M4)', async () => {
  const { run, home } = cliBox();
  home14(home);
  const second = await run('migrate', '--home', '<root>/second');
  expect(second.code).toBe(0);
  expect(second.out).toContain(
    'Other installation, left alone: <root>/.mmrelay (bring it with --from <root>/.mmrelay)',
  );
  expect(existsSync(join(home, 'matrix', 'credentials.json'))).toBe(true);
  expect((await run('paths', '--home', '<root>/second')).out).toContain('   - <root>/.mmrelay\n');
  expect((await run('migrate', '--home', '<root>/second', '--from', '<root>/nowhere')).code).toBe(1);
});

test('backup, restore --check, restore; db check, vacuum, prune', async () => {
  const { run, home, root } = cliBox({ MMRELAY_BACKUP_PASSWORD: 'correct horse' });
  put(join(home, 'config.yaml'), CONFIG);
  openStore({ path: join(home, 'database', 'meshtastic.sqlite'), logger: silentLogger }).close();
  expect(await run('backup', '--output', '<root>/b.tar.gz')).toMatchObject({
    code: 0,
    out: expect.stringMatching(/^✅ <root>\/b\.tar\.gz: 2 files, \d+ bytes\n {3}It holds tokens and keys/),
  });
  expect((await run('backup', '--output', '<root>/b.tar.gz')).code).toBe(5);
  expect((await run('backup', '--encrypt')).code).toBe(0);
  const sealed = readdirSync(root).find((name) => name.endsWith('.sealed')) ?? '';
  expect((await run('restore', '--check', sealed)).out).toContain('✅ The archive is good: 2 files');
  const restored = await run('restore', 'b.tar.gz');
  expect(restored).toMatchObject({ code: 0, out: expect.stringContaining('What was there is kept in') });
  expect((await run('restore', 'nowhere.tar.gz')).code).toBe(5);
  const check = await run('db', 'check');
  expect(check).toMatchObject({ code: 0, out: expect.stringContaining('✅ The database is whole') });
  expect(check.out).toContain('   outbox: 0 rows\n');
  expect((await run('db', 'vacuum')).out).toMatch(/^✅ .*: \d+ bytes before, \d+ now\n$/);
  expect((await run('db', 'prune')).out).toBe('✅ Forgotten: 0 seen, 0 finished, 0 links\n');
  expect(JSON.parse((await run('db', 'check', '--json')).out)).toMatchObject({ problems: [] });
});

test('backup of nothing, and --encrypt without a password', async () => {
  const { run, home } = cliBox();
  expect(await run('backup')).toMatchObject({ code: 5, err: expect.stringContaining('nothing to back up') });
  expect((await run('backup', '--encrypt')).code).toBe(2);
  expect(existsSync(home)).toBe(false);
});

test('service migrate: the data, then the unit; a dry run changes neither', async () => {
  const { run, home, root } = cliBox();
  home13(home);
  const unit = join(root, '.config', 'systemd', 'user', 'mmrelay.service');
  put(unit, '[Service]\nType=simple\nExecStart=/usr/bin/mmrelay --home %h/.mmrelay\n');
  const dry = await run('service', 'migrate', '--dry-run');
  expect(dry.out).toContain('would start this program (no changes were made)');
  const done = await run('service', 'migrate');
  expect(done.code).toBe(0);
  expect(done.out).toContain('its settings are kept, the old file is <root>/.config/systemd/user/mmrelay.service.bak');
});
