import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type LoadedConfig, parseConfig } from '../../src/config/load.ts';
import { renderProblems } from '../../src/config/problems.ts';
import { nearest } from '../../src/util/nearest.ts';
import { MINIMAL } from './helpers.ts';

function sane(loaded: LoadedConfig): void {
  for (const problem of loaded.problems) {
    expect(problem.line).toBeGreaterThanOrEqual(1);
    expect(problem.column).toBeGreaterThanOrEqual(1);
    expect(problem.file !== null || problem.variable !== null).toBe(true);
    expect(problem.message).toMatch(/\w/);
  }
  expect(loaded.config === null).toBe(loaded.problems.some(({ severity }) => severity === 'error'));
  expect(renderProblems(loaded.problems).every((line) => !line.includes('\n'))).toBe(true);
}

const KEYS = [
  'matrix',
  'matrix_rooms',
  'meshtastic',
  'id',
  'host',
  'connection_type',
  'message_delay',
  'db',
  'mqtt',
  'password',
  'relay',
  'health_check',
  'logging',
  'debug',
  'plugins',
  '__proto__',
  'e2ee',
  'encryption',
  'enabled',
  'direct_messages',
  'message_interactions',
  '<<',
  'levels',
  'pragmas',
];

const anyValue = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom<unknown>(
      null,
      true,
      false,
      0,
      -1,
      7,
      1e99,
      '',
      'tcp',
      'off',
      '12h',
      '{',
      '!a:b',
      Number.NaN,
      'yes',
    ),
    fc.string(),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...KEYS), fc.string()), tie('value'), { maxKeys: 6 }),
  ),
})).value;

describe('the loader', () => {
  test('never throws, and every problem has a place: any text', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        ...KEYS,
        ':',
        '\n',
        '  ',
        '- ',
        '&a ',
        '*a',
        '<<: *a\n',
        '{',
        '}',
        '[',
        '!',
        '#',
        '"',
        '|\n',
        '---\n',
        '%',
        '\t',
        '? ',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (pieces) =>
        sane(parseConfig({ text: pieces.join(''), file: 'f', env: {} })),
      ),
      { numRuns: 400 },
    );
  }, 60_000);

  test('never throws, and every problem has a place: any values under known keys', () => {
    const file = fc.dictionary(fc.constantFrom(...KEYS), anyValue, { maxKeys: 8 });
    fc.assert(
      fc.property(file, (values) => sane(parseConfig({ text: stringify(values), file: 'f', env: {} }))),
      { numRuns: 400 },
    );
  }, 60_000);

  test('any environment', () => {
    const names = [
      'MMRELAY_MESHTASTIC_PORT',
      'MMRELAY_MATRIX_ROOMS',
      'MMRELAY_LOGGING_LEVEL',
      'MMRELAY_MESHTASTIC_MESSAGE_DELAY',
      'MMRELAY_HEALTH_LISTEN',
      'MMRELAY_MATRIX_PASSWORD',
      'MMRELAY_LOG_FILE',
    ];
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), fc.string()), (env) =>
        sane(parseConfig({ text: MINIMAL, file: 'f', env })),
      ),
    );
  }, 60_000);

  test('one damaged byte of a good file never throws', () => {
    fc.assert(
      fc.property(fc.nat(MINIMAL.length - 1), fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }), (at, char) => {
        sane(parseConfig({ text: MINIMAL.slice(0, at) + char + MINIMAL.slice(at + 1), file: 'f', env: {} }));
      }),
      { numRuns: 300 },
    );
  }, 60_000);
});

test('the nearest key of a key with one typing error is that key', () => {
  const keys = ['connection_type', 'meshnet_name', 'broadcast_enabled', 'message_delay', 'packet_routing'];
  fc.assert(
    fc.property(fc.constantFrom(...keys), fc.nat(12), fc.constantFrom('x', 'q', ''), (key, at, char) => {
      expect(nearest(key.slice(0, at) + char + key.slice(at + 1), keys)).toBe(key);
    }),
  );
});
