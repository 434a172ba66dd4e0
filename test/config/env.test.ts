import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseConfig } from '../../src/config/load.ts';
import { renderProblems } from '../../src/config/problems.ts';
import { config, MINIMAL, parse, ROOMS } from './helpers.ts';

describe('environment (spec 01 section 2.4)', () => {
  test.each<readonly [string, string, object]>([
    ['MMRELAY_LOGGING_LEVEL', 'WARNING', { logging: { level: 'warn' } }],
    ['MMRELAY_LOGGING_LEVEL', 'critical', { logging: { level: 'error' } }],
    ['MMRELAY_DATABASE_PATH', '/x.sqlite', { database: { path: '/x.sqlite' } }],
    ['MMRELAY_MATRIX_HOMESERVER', 'https://hs', { matrix: { homeserver: 'https://hs' } }],
    ['MMRELAY_MATRIX_BOT_USER_ID', '@b:hs', { matrix: { botUserId: '@b:hs' } }],
    ['MMRELAY_MATRIX_PASSWORD', '12345', { matrix: { password: '12345' } }],
    ['MMRELAY_MATRIX_ACCESS_TOKEN', 'tok', { matrix: { accessToken: 'tok' } }],
    ['MMRELAY_CREDENTIALS_PATH', '/c', { matrix: { credentialsPath: '/c' } }],
    ['MMRELAY_MESHTASTIC_HOST', 'other.test', { radios: [{ connection: { host: 'other.test' } }] }],
    ['MMRELAY_MESHTASTIC_PORT', '4404', { radios: [{ connection: { port: 4404 } }] }],
    ['MMRELAY_MESHTASTIC_CONNECTION_TYPE', 'TCP', { radios: [{ connection: { kind: 'tcp' } }] }],
    ['MMRELAY_MESHTASTIC_CONNECTION_TYPE', 'network', { radios: [{ connection: { kind: 'tcp' } }] }],
    ['MMRELAY_MESHTASTIC_BROADCAST_ENABLED', 'off', { radios: [{ broadcastEnabled: false }] }],
    ['MMRELAY_MESHTASTIC_MESHNET_NAME', '007', { radios: [{ meshnetName: '007' }] }],
    ['MMRELAY_MESHTASTIC_MESSAGE_DELAY', '2.5', { radios: [{ messageDelayMs: 2500 }] }],
    ['MMRELAY_LOG_FILE', '/l.log', { logging: { filename: '/l.log', toFile: true } }],
    ['MMRELAY_READY_FILE', '/run/r', { health: { readyFile: '/run/r' } }],
    ['MMRELAY_READY_HEARTBEAT_SECONDS', '0', { health: { readyHeartbeatMs: null } }],
    ['MMRELAY_READY_HEARTBEAT_SECONDS', 'soon', { health: { readyHeartbeatMs: 60_000 } }],
    ['MMRELAY_HEALTH_LISTEN', ':9464', { health: { listen: { host: '', port: 9464 } } }],
    ['MMRELAY_MATRIX_E2EE_ENABLED', 'false', { matrix: { e2ee: { enabled: 'off' } } }],
    ['MMRELAY_MATRIX_HOMESERVER', '  ', { matrix: { homeserver: null } }],
  ])('%s=%s', (name, value, expected) => {
    expect(config(MINIMAL, { [name]: value })).toMatchObject(expected);
  });

  test('a mistyped variable is named; those that Kubernetes makes for a service called mmrelay are not', () => {
    const env = {
      MMRELAY_MATRIX_ROOM: '#a:x=0',
      MMRELAY_PORT: 'tcp://10.0.0.1:9464',
      MMRELAY_MATRIX_PASSWORD_FILE: '',
    };
    const { config: loaded, problems } = parseConfig({ text: MINIMAL, file: null, env });
    expect(loaded).not.toBeNull();
    expect(renderProblems(problems)).toEqual([
      'MMRELAY_MATRIX_ROOM: warning: is not a known variable and has no effect',
      '    did you mean: MMRELAY_MATRIX_ROOMS',
    ]);
  });

  test.each([
    ['MMRELAY_MESHTASTIC_CONNECTION_TYPE', 'pigeon'],
    ['MMRELAY_MESHTASTIC_MESSAGE_DELAY', '1.5'],
    ['MMRELAY_MESHTASTIC_BROADCAST_ENABLED', 'maybe'],
    ['MMRELAY_HEALTH_LISTEN', 'everywhere'],
  ])('%s=%s is an error that names the variable', (name, value) => {
    const loaded = parse(MINIMAL, { [name]: value });
    expect(loaded.config).toBeNull();
    expect(loaded.problems).toMatchObject([{ severity: 'error', variable: name, file: null }]);
    expect(renderProblems(loaded.problems)[0]).toMatch(`${name}: error: `);
  });

  test('an error in a secret variable does not show it', () => {
    const loaded = parse(`matrix: [x]\n${MINIMAL}`, { MMRELAY_MATRIX_PASSWORD: 'hunter2' });
    expect(renderProblems(loaded.problems).join('\n')).not.toContain('hunter2');
    expect(loaded.problems.map(({ message }) => message).join()).toContain('MMRELAY_MATRIX_PASSWORD has no effect');
  });

  test('C8: the environment alone is enough', () => {
    const env = {
      MMRELAY_MATRIX_ROOMS: '#a:hs.test=0, !b:hs.test=3',
      MMRELAY_MESHTASTIC_CONNECTION_TYPE: 'tcp',
      MMRELAY_MESHTASTIC_HOST: 'radio.test',
    };
    const loaded = parseConfig({ text: '', file: null, env });
    expect(loaded.problems).toEqual([]);
    expect(loaded.config?.rooms).toMatchObject([
      { id: '#a:hs.test', channel: 0 },
      { id: '!b:hs.test', channel: 3 },
    ]);
  });

  test('with a list of radios, the first one is meant', () => {
    const text = `${ROOMS}meshtastic:\n  - {name: a, connection_type: tcp, host: x}\n  - {name: b, connection_type: tcp, host: y}\n`;
    expect(config(text, { MMRELAY_MESHTASTIC_HOST: 'z' }).radios.map(({ connection }) => connection)).toMatchObject([
      { host: 'z' },
      { host: 'y' },
    ]);
  });
});

describe('secrets from files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-secret-'));
  const file = join(folder, 'password');
  writeFileSync(file, 'from-file\nsecond line\n');

  test('S4: password_file', () => {
    const loaded = parse(`matrix: {password_file: ${file}}\n${MINIMAL}`);
    expect(loaded.config?.matrix.password).toBe('from-file');
    expect(loaded.secrets).toEqual(['from-file']);
  });

  test('MMRELAY_MATRIX_PASSWORD_FILE', () => {
    expect(config(MINIMAL, { MMRELAY_MATRIX_PASSWORD_FILE: file }).matrix.password).toBe('from-file');
  });

  test('the variable beats the file key, the key beats its file', () => {
    const text = `matrix: {password_file: ${file}}\n${MINIMAL}`;
    expect(config(text, { MMRELAY_MATRIX_PASSWORD: 'env' }).matrix.password).toBe('env');
    expect(config(`matrix: {password: key, password_file: ${file}}\n${MINIMAL}`).matrix.password).toBe('key');
  });

  test('a file that is not there', () => {
    expect(parse(`matrix: {password_file: ${folder}/no}\n${MINIMAL}`).problems).toMatchObject([
      { severity: 'error', path: 'matrix.password_file', line: 1, message: expect.stringContaining('ENOENT') },
    ]);
    expect(parse(MINIMAL, { MMRELAY_MATRIX_PASSWORD_FILE: `${folder}/no` }).problems).toMatchObject([
      { severity: 'error', variable: 'MMRELAY_MATRIX_PASSWORD_FILE' },
    ]);
  });
});
