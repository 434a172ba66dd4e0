import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { VERSION } from '../../src/app/version.ts';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { sampleConfig } from '../../src/config/sample.ts';
import { CREDENTIALS, put } from '../support/old-homes.ts';
import { cliBox } from './run-cli.ts';

const CONFIG = `
matrix_rooms:
  - id: "#mesh:example.org"
    meshtastic_channel: 0
meshtastic:
  connection_type: tcp
  host: 127.0.0.1
  port: 1
  meshnet_name: Test
matrix:
  homeserver: http://127.0.0.1:1
  bot_user_id: "@relay:example.org"
  password: secret-password
`;

describe('version, help, usage', () => {
  test('version', async () => {
    const { run } = cliBox();
    expect(await run('--version')).toEqual({ code: 0, out: `MMRelay version ${VERSION}\n`, err: '' });
    expect(await run('version')).toEqual({ code: 0, out: `MMRelay version ${VERSION}\n`, err: '' });
  });

  test("what the Python relay's image wanted in front is no command, and no nuisance", async () => {
    const { run } = cliBox();
    expect(await run('mmrelay', '--version')).toMatchObject({ code: 0, out: `MMRelay version ${VERSION}\n` });
    expect(await run('mmrelay', 'db', 'chekc')).toMatchObject({ code: 2, err: expect.stringContaining('check') });
  });

  test('help teaches, at every level, on stdout', async () => {
    const { run } = cliBox();
    const help = await run('--help');
    expect(help.code).toBe(0);
    for (const words of ['First steps:', 'mmrelay demo', 'Exit codes:', 'doctor', 'migrate', 'backup'])
      expect(help.out).toContain(words);
    const headings = help.out.match(/^[A-Z].*:$/gm);
    expect(headings).toEqual([
      'Options:',
      'Run it:',
      'Set it up:',
      'When something is wrong:',
      'Its data:',
      'First steps:',
    ]);
    expect((await run('doctor', '--help')).out).toContain('As a liveness probe');
    expect((await run('config', 'check', '--help')).out).toContain('--strict');
  });

  test('a time that is none is a mistake of usage', async () => {
    const { run } = cliBox();
    expect(await run('demo', '--for', 'soon')).toMatchObject({
      code: 2,
      err: expect.stringContaining('write a time as'),
    });
  });

  test.each([
    [['migrate', '--dryrun'], "unknown option '--dryrun'"],
    [['doctor', '--nonsense'], "unknown option '--nonsense'"],
    [['nonsense'], "unknown command 'nonsense'"],
    [['confg'], '(Did you mean config?)'],
    [['config', 'nonsense'], 'nonsense'],
    [['config'], 'Usage: mmrelay config'],
    [['service'], 'Usage: mmrelay service'],
    [['db'], 'Usage: mmrelay db'],
    [['restore'], "missing required argument 'archive'"],
    [['paths', 'more'], 'too many arguments'],
    [['--log-level', 'loud', 'paths'], 'loud'],
    [['completion', 'csh'], 'csh'],
  ])('usage errors end with 2: %j (M3)', async (argv, words) => {
    const { run, root } = cliBox();
    const result = await run(...argv);
    expect(result.code).toBe(2);
    expect(result.err).toContain(words);
    expect(existsSync(join(root, '.mmrelay'))).toBe(false);
  });

  test('global options stand before or after the command, and old spellings warn (M5)', async () => {
    const { run } = cliBox();
    for (const argv of [
      ['--home', '<root>/x', 'paths'],
      ['paths', '--home', '<root>/x'],
      ['config', 'paths', '--home=<root>/x'],
    ])
      expect((await run(...argv)).out).toContain('Location: <root>/x\n   Source: CLI (--home)');
    const old = await run('paths', '--base-dir', '<root>/y');
    expect(old.err).toBe('Warning: --base-dir is deprecated: use --home\n');
    expect(old.out).toContain('Source: CLI (--base-dir)');
    expect((await run('paths', '--home', '/etc')).code).toBe(3);
  });

  test('action flags of 1.x still work, with a warning that names the command', async () => {
    const { run, home } = cliBox();
    const result = await run('--generate-config');
    expect(result).toMatchObject({ code: 0, err: expect.stringContaining("Use 'mmrelay config generate' instead.") });
    expect(existsSync(join(home, 'config.yaml'))).toBe(true);
    expect((await run('--check-config')).code).toBe(3);
  });
});

describe('paths', () => {
  test('a fresh machine, word for word; nothing is created (C7)', async () => {
    const { run, home } = cliBox();
    expect(await run('paths')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "
      ============================================================
      MMRelay Path Configuration (mmrelay paths)
      ============================================================

      📍 HOME Directory:
         Location: <root>/.mmrelay
         Source: Platform defaults

      📁 Runtime Artifacts (all in HOME):
         Config: (none found)
         Credentials: <root>/.mmrelay/credentials.json
         Database: <root>/.mmrelay/database/meshtastic.sqlite
         Store (E2EE): <root>/.mmrelay/store
         Logs: <root>/.mmrelay/logs
         Log File: <root>/.mmrelay/logs/mmrelay.log
         Ready File: (off)

      📦 Plugins:
         Plugins: <root>/.mmrelay/plugins
         Custom: <root>/.mmrelay/plugins/custom
         Community: <root>/.mmrelay/plugins/community

      📋 Legacy Sources (read-only):
         (none detected)

      🔧 Environment Variables:
         (none detected)

      ⚙️  CLI Override:
         None

      Plugin Roots Searched:
         Primary: <root>/.mmrelay/plugins
      ",
      }
    `);
    expect(existsSync(home)).toBe(false);
  });

  test('the guide: every path under /data, as the environment says', async () => {
    const { run } = cliBox({ MMRELAY_HOME: '<root>/data' });
    put(join(process.cwd(), 'app', 'config.yaml'), CONFIG);
    const { code, out } = await run('paths', '--config', '<root>/app/config.yaml');
    expect(code).toBe(0);
    expect(out).toContain('Location: <root>/data\n   Source: MMRELAY_HOME env var');
    expect(out).toContain('Runtime Artifacts (all in HOME)');
    expect(out).toContain('Config: <root>/app/config.yaml');
    expect(out).toContain('Legacy Sources (read-only):\n   (none detected)');
    expect(out).not.toMatch(/MMRELAY_(CREDENTIALS_PATH|BASE_DIR|DATA_DIR)=/);
  });

  test('values in effect, with their origin, and as JSON (C5, C11)', async () => {
    const { run, home } = cliBox();
    put(
      join(home, 'config.yaml'),
      `${CONFIG}database:\n  path: ~/elsewhere.sqlite\nlogging:\n  filename: /var/log/r.log\n`,
    );
    const { out } = await run('paths');
    expect(out).toContain('Database: <root>/elsewhere.sqlite  [database.path]');
    expect(out).toContain('Log File: /var/log/r.log  [logging.filename]');
    const json = JSON.parse((await run('paths', '--json')).out);
    expect(json.database).toEqual({ path: '<root>/elsewhere.sqlite', source: 'database.path' });
  });
});

describe('config', () => {
  test('generate honours --config and --output, never loses a file, 0600 (C1)', async () => {
    const { run, home, root } = cliBox();
    expect((await run('config', 'generate', '--output', '-')).out).toBe(sampleConfig());
    expect(existsSync(home)).toBe(false);
    const first = await run('config', 'generate');
    expect(first.code).toBe(0);
    expect(first.out).toContain('Generated sample config file at: <root>/.mmrelay/config.yaml');
    const file = join(home, 'config.yaml');
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(statSync(home).mode & 0o777).toBe(0o700);
    writeFileSync(file, 'mine\n');
    const second = await run('config', 'generate');
    expect(second.code).toBe(1);
    expect(second.err).toContain('A config file already exists at: <root>/.mmrelay/config.yaml');
    expect(readFileSync(file, 'utf8')).toBe('mine\n');
    expect((await run('config', 'generate', '--force')).out).toContain('kept as: <root>/.mmrelay/config.yaml.bak');
    expect(readFileSync(`${file}.bak`, 'utf8')).toBe('mine\n');
    await run('config', 'generate', '--config', '<root>/other.yaml');
    expect(readFileSync(join(root, 'other.yaml'), 'utf8')).toBe(sampleConfig());
  });

  test('schema', async () => {
    const { run } = cliBox();
    const { code, out } = await run('config', 'schema');
    expect([code, JSON.parse(out)]).toEqual([0, JSON.parse(JSON.stringify(jsonSchema()))]);
  });

  test('check: marker lines and exit codes; a named file that is missing is not passed over (C2, C10)', async () => {
    const { run, home } = cliBox();
    const none = await run('config', 'check');
    expect(none.code).toBe(3);
    expect(none.out).toContain('Error: No configuration file found in any of the following locations:');
    put(join(home, 'config.yaml'), CONFIG);
    const good = await run('config', 'check');
    expect(good).toEqual({
      code: 0,
      out: 'Found configuration file at: <root>/.mmrelay/config.yaml\n✅ Configuration file is valid!\n',
      err: '',
    });
    const gone = await run('config', 'check', '--config', '<root>/gone.yaml');
    expect(gone.code).toBe(3);
    expect(gone.out).not.toContain('Found');
    expect(gone.out).toContain('there is no such file');
    put(join(home, 'config.yaml'), `${CONFIG}unknwon: 1\n`);
    expect((await run('config', 'check')).code).toBe(0);
    expect((await run('config', 'check', '--strict')).code).toBe(3);
    const json = JSON.parse((await run('config', 'check', '--json')).out);
    expect(json).toMatchObject({ valid: true, problems: [{ severity: 'warning', path: 'unknwon' }] });
    await run('config', 'generate', '--force');
    expect((await run('config', 'check')).out).toContain('is still the value of the sample file');
  });

  test('diagnose', async () => {
    const { run } = cliBox();
    const { code, out } = await run('config', 'diagnose');
    expect(code).toBe(0);
    expect(out).toMatch(/^MMRelay Configuration System Diagnostics\n={40}\n/);
    expect(out).toContain('1. Config search paths: 3 locations');
    expect(out).toMatch(/Diagnostics complete!\n$/);
  });
});

describe('auth', () => {
  test('status: without a session, with a configured password, with a session, with a broken file', async () => {
    const { run, home } = cliBox();
    expect(await run('auth', 'status')).toMatchObject({
      code: 1,
      out: expect.stringContaining("❌ No credentials.json found\nRun 'mmrelay auth login' to authenticate"),
    });
    put(join(home, 'config.yaml'), CONFIG);
    expect(await run('auth', 'status')).toMatchObject({
      code: 0,
      out: expect.stringContaining('logs in with the password'),
    });
    put(join(home, 'credentials.json'), '{');
    expect(await run('auth', 'status')).toMatchObject({ code: 1, out: expect.stringContaining('⚠️  Skipping') });
    put(join(home, 'credentials.json'), CREDENTIALS);
    const { code, out } = await run('auth', 'status');
    expect(code).toBe(0);
    expect(out).toContain(
      '✅ Found credentials.json at: <root>/.mmrelay/credentials.json\n   Homeserver: https://example.org',
    );
    expect(out).toContain('   User ID: @relay:example.org\n   Device ID: OLDDEVICE');
    const json = (await run('auth', 'status', '--json')).out;
    expect(JSON.parse(json)).toMatchObject({ loggedIn: true, tokenValid: null, userId: '@relay:example.org' });
    expect(out + json).not.toContain('syt_old_token');
  });

  test('login without a terminal names what is missing, exit 2', async () => {
    const { run } = cliBox();
    expect(await run('auth', 'login', '--username', 'x')).toMatchObject({
      code: 2,
      err: 'Missing: --homeserver, --password-stdin\nWithout a password: --sso or --oauth\n',
    });
    expect((await run('auth')).code).toBe(2);
  });

  test('logout: nothing to do, not without --yes, the server out of reach (S6, S8)', async () => {
    const { run, home } = cliBox();
    expect(await run('auth', 'logout')).toMatchObject({ code: 0, out: expect.stringContaining('Already logged out') });
    const file = join(home, 'credentials.json');
    put(file, CREDENTIALS.replace('https://example.org', 'http://127.0.0.1:1'));
    expect((await run('auth', 'logout')).code).toBe(2);
    const failed = await run('auth', 'logout', '--yes');
    expect(failed).toMatchObject({ code: 1, err: expect.stringContaining('Nothing was removed') });
    expect(existsSync(file)).toBe(true);
    expect((await run('auth', 'logout', '--yes', '--local')).code).toBe(0);
    expect(existsSync(file)).toBe(false);
  });
});

describe('migration', () => {
  test('migrate on a clean machine: nothing to do, exit 0, nothing created (C7)', async () => {
    const { run, home } = cliBox();
    expect(await run('migrate', '--dry-run')).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "MMRelay Migration
      =================
      Mode: DRY RUN
      Force overwrite: no
      MMRELAY_HOME: <root>/.mmrelay
      Legacy sources detected: none

      ✅ Nothing to migrate

      Summary: 0 files moved, 0 bytes, 0 conflicts
      Verification: run \`mmrelay verify-migration\`.
      ",
      }
    `);
    expect((await run('migrate')).code).toBe(0);
    expect((await run('verify-migration')).out).toContain('✅ Migration verification PASSED');
    expect(existsSync(home)).toBe(false);
  });

  test('undo without a migration fails with a reason', async () => {
    const { run } = cliBox();
    expect(await run('migrate', '--undo')).toMatchObject({
      code: 1,
      out: expect.stringContaining('❌ Migration failed: There is no migration of <root>/.mmrelay to undo'),
    });
    expect(JSON.parse((await run('migrate', '--undo', '--json')).out)).toMatchObject({ ok: false });
  });
});

describe('db, service, completion', () => {
  test('db of a home without one', async () => {
    const { run } = cliBox();
    expect(await run('db', 'check')).toMatchObject({ code: 5, err: expect.stringContaining('There is no database') });
    expect((await run('db', 'vacuum')).code).toBe(5);
  });

  test('service install writes the unit once, keeps a changed one (G3)', async () => {
    const { run, root } = cliBox();
    const unit = join(root, '.config', 'systemd', 'user', 'mmrelay.service');
    const shown = await run('service', 'install', '--print');
    expect(existsSync(unit)).toBe(false);
    const first = await run('service', 'install');
    expect(first.out).toContain('✅ Service file written: <root>/.config/systemd/user/mmrelay.service');
    expect(readFileSync(unit, 'utf8').replaceAll(root, '<root>')).toBe(shown.out);
    expect((await run('service', 'install')).out).toContain('Service file unchanged');
    writeFileSync(unit, '# mine\n');
    expect((await run('service', 'install')).code).toBe(1);
    expect((await run('service', 'install', '--force')).code).toBe(0);
    expect(readFileSync(`${unit}.bak`, 'utf8')).toBe('# mine\n');
  });

  test.each(['bash', 'zsh', 'fish'])('completion for %s knows every command', async (shell) => {
    const { run } = cliBox();
    const { code, out } = await run('completion', shell);
    expect(code).toBe(0);
    for (const word of ['doctor', 'verify-migration', 'generate', 'vacuum', 'dry-run']) expect(out).toContain(word);
  });
});
