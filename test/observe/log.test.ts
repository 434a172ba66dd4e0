import { mkdtempSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LogFile } from '../../src/observe/log-file.ts';
import { chooseFormat, type LogOptions, LogSystem } from '../../src/observe/logger.ts';
import { Redactor } from '../../src/observe/redact.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';

function system(options: Partial<LogOptions> = {}) {
  const lines: string[] = [];
  const redactor = new Redactor();
  const log = new LogSystem({
    level: 'info',
    levels: {},
    format: 'json',
    colour: false,
    messageText: false,
    redactor,
    clock: new ManualClock(),
    write: (line) => void lines.push(line),
    file: null,
    ...options,
  });
  return { log, lines, redactor, records: () => lines.map((line) => JSON.parse(line) as Record<string, unknown>) };
}

describe('records', () => {
  test('one JSON line with time, level, component, fields', () => {
    const { log, records } = system();
    log.logger.child('matrix', { room: '!a:b' }).warn('sync failed', { attempts: 3 });
    expect(records()).toEqual([
      {
        level: 'warn',
        time: '2025-06-15T15:06:40.000Z',
        component: 'matrix',
        room: '!a:b',
        attempts: 3,
        msg: 'sync failed',
      },
    ]);
  });

  test('errors, bytes, cycles, bigint and our own names', () => {
    const { log, records } = system();
    const cycle: Record<string, unknown> = { big: 5n };
    cycle.self = cycle;
    log.logger.error('odd', {
      error: new Error('outer', { cause: new TypeError('inner') }),
      bytes: new Uint8Array(9),
      cycle,
      level: 'x',
    });
    expect(records()[0]).toMatchObject({
      level: 'error',
      level_: 'x',
      error: { type: 'Error', message: 'outer', cause: { type: 'TypeError', message: 'inner' } },
      bytes: '<9 bytes>',
      cycle: { big: '5' },
    });
  });

  test('levels by component, changed while running', () => {
    const { log, lines } = system({ levels: { radio: 'debug' } });
    const radio = log.logger.child('radio.tcp');
    const matrix = log.logger.child('matrix');
    radio.debug('1');
    matrix.debug('no');
    log.setLevels({ level: 'error', levels: { matrix: 'debug' } });
    radio.warn('no');
    matrix.debug('2');
    expect(lines).toHaveLength(2);
  });

  test('S5: message texts only at debug, and only when asked for', () => {
    const quiet = system({ level: 'debug' });
    quiet.log.logger.debug('x', { messageText: 'private words' });
    const asked = system({ level: 'debug', messageText: true });
    asked.log.logger.info('x', { messageText: 'private words' });
    expect([...quiet.lines, ...asked.lines].join('')).not.toContain('private');
    asked.log.logger.debug('x', { messageText: 'private words' });
    expect(asked.lines.join('')).toContain('private words');
  });

  test('G1: pretty lines never carry control characters or markup of strangers', () => {
    const { log, lines } = system({ format: 'pretty' });
    log.logger.child('relay').info('relayed', { from: '[/x] :smile: \u001b[2J\u202e\r\n', ok: 'plain' });
    expect(lines[0]).toMatch(/ INFO {2}relay: relayed from="\[\/x\] :smile: /);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(lines[0]).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(lines[0]?.split('\n')).toHaveLength(2);
  });

  test('pretty shows stacks below the line', () => {
    const { log, lines } = system({ format: 'pretty' });
    log.logger.error('failed', { error: new Error('why') });
    expect(lines[0]).toMatch(/ERROR failed error="why"\n {4}Error: why\n {8}at /);
  });

  test('G2: format by terminal', () => {
    expect([chooseFormat('auto', true), chooseFormat('auto', false), chooseFormat('json', true)]).toEqual([
      'pretty',
      'json',
      'json',
    ]);
  });
});

describe('redaction: everything is logged, then searched', () => {
  const SECRETS = ['correct horse "battery" \\staple', 'syt_cmVsYXk_abcdefghijkl_012345', 'pä$$/wörd?&'];
  const PATTERNED = [
    'Authorization: Bearer abcdefSECRET12',
    'https://hs/_matrix/sync?since=s1&access_token=SECRETtoken99&x=1',
    'https://user:SECRETpw@git.example.org/x.git',
    '{"access_token":"SECRETjson","user":"@a:b"}',
    JSON.stringify({ body: JSON.stringify({ password: 'SECRETnested' }) }),
    'mct_SECRETabcdef',
    'password=SECRETform&x',
  ];

  test.each(['json', 'pretty'] as const)('%s', (format) => {
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-log-'));
    const path = join(folder, 'a.log');
    const { log, lines, redactor } = system({
      format,
      level: 'debug',
      messageText: true,
      file: { path, maxBytes: 1e6, backupCount: 1 },
    });
    for (const secret of SECRETS) redactor.add(secret);
    const logger = log.logger.child('x', { token: SECRETS[0], session: { deep: [{ access_token: 'SECRETdeep' }] } });
    for (const secret of [...SECRETS, ...PATTERNED]) {
      const error = new Error(`cannot use ${secret}`, { cause: secret });
      for (const level of ['debug', 'info', 'warn', 'error'] as const) {
        logger[level](`with ${secret}`, {
          a: secret,
          b: { c: [secret] },
          error,
          url: SECRETS.includes(secret) ? `https://h/?q=${encodeURIComponent(secret)}` : '',
          json: JSON.stringify({ secret }),
          messageText: secret,
          password: 'SECRETfield',
        });
      }
    }
    log.close();
    const all = lines.join('') + readFileSync(path, 'utf8');
    expect(all.length).toBeGreaterThan(10_000);
    expect(/.{0,60}SECRET.{0,60}/.exec(all)?.[0]).toBeUndefined();
    for (const part of ['correct horse', 'staple', 'cmVsYXk', 'wörd', 'w%C3%B6rd'])
      expect(all.includes(part), part).toBe(false);
    expect(all.includes('***')).toBe(true);
  });

  test('what is no secret stays', () => {
    const { log, lines } = system();
    log.logger.info('sync', { nextToken: 's12_34', tokens: 3, room: '!abc:hs', event: '$abcdef' });
    expect(lines[0]).toContain('"nextToken":"s12_34"');
    expect(lines[0]).toContain('"tokens":3');
  });

  test('any secret, any surrounding', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 6, unit: 'grapheme' }), fc.string(), (secret, around) => {
        const redactor = new Redactor();
        redactor.add(secret);
        fc.pre(!around.includes(secret) && !'***'.includes(secret));
        expect(redactor.redact(`${around}|${secret}|${around}`)).not.toContain(secret);
        expect(redactor.redact(JSON.stringify({ a: secret }))).not.toContain(JSON.stringify(secret).slice(1, -1));
      }),
    );
  });

  test('stays fast on hostile texts', () => {
    const redactor = new Redactor();
    const hostile = [
      '\\"'.repeat(20_000),
      'a'.repeat(50_000),
      'http://'.repeat(8000),
      `"password"${' '.repeat(50_000)}`,
      'Bearer '.repeat(8000),
    ];
    const start = performance.now();
    for (const text of hostile) redactor.redact(text);
    expect(performance.now() - start).toBeLessThan(5000);
  });
});

describe('log file', () => {
  const open = (backupCount: number, maxBytes = 1024) => {
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-rot-'));
    const errors: unknown[] = [];
    const path = join(folder, 'logs', 'a.log');
    return {
      folder: join(folder, 'logs'),
      path,
      errors,
      file: new LogFile({ path, maxBytes, backupCount, onError: (error) => errors.push(error) }),
    };
  };

  test('rotates by size, keeps the newest, 0600', () => {
    const { file, folder, path } = open(2);
    for (let i = 0; i < 100; i += 1) file.write(`${String(i).padStart(99, '.')}\n`);
    file.close();
    expect(readdirSync(folder).sort()).toEqual(['a.log', 'a.log.1', 'a.log.2']);
    const kept = ['a.log.2', 'a.log.1', 'a.log'].map((name) => readFileSync(join(folder, name), 'utf8')).join('');
    expect(
      kept
        .split('\n')
        .filter(Boolean)
        .map((line) => Number(line.replaceAll('.', ''))),
    ).toEqual(Array.from({ length: kept.length / 100 }, (_, index) => 100 - kept.length / 100 + index));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(path).size).toBeLessThanOrEqual(1024);
  });

  test('without backups', () => {
    const { file, folder } = open(0);
    for (let i = 0; i < 30; i += 1) file.write(`${'x'.repeat(99)}\n`);
    expect(readdirSync(folder)).toEqual(['a.log']);
  });

  test('S2: tightens the mode of an old file, appends', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-rot-'));
    const path = join(folder, 'old.log');
    writeFileSync(path, 'old\n', { mode: 0o644 });
    const file = new LogFile({ path, maxBytes: 1000, backupCount: 1, onError: () => undefined });
    file.write('new\n');
    file.close();
    expect(readFileSync(path, 'utf8')).toBe('old\nnew\n');
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test('a file that cannot be opened is reported once, and logging goes on', () => {
    const folder = mkdtempSync(join(tmpdir(), 'mmrelay-rot-'));
    const { log, lines } = system({ file: { path: folder, maxBytes: 1000, backupCount: 1 } });
    log.logger.info('one');
    log.logger.info('two');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toContain('the log file cannot be written');
  });
});
