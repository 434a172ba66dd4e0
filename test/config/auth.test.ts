import { expect, test } from 'vitest';
import { authMethod, missingAuthKeys } from '../../src/config/auth.ts';
import { config, MINIMAL } from './helpers.ts';

test.each<readonly [string, boolean, string | null]>([
  ['{}', true, 'credentials'],
  ['{homeserver: h, bot_user_id: b, password: p, access_token: t}', true, 'credentials'],
  ['{homeserver: h, bot_user_id: b, password: p, access_token: t}', false, 'password'],
  ['{homeserver: h, access_token: t}', false, 'token'],
  ['{homeserver: h, bot_user_id: b, password: "  "}', false, null],
  ['{access_token: t}', false, null],
])('%s, stored: %s -> %s', (matrix, stored, method) => {
  expect(authMethod(config(`matrix: ${matrix}\n${MINIMAL}`), stored)).toBe(method);
});

test('what is missing', () => {
  expect(missingAuthKeys(config(`matrix: {homeserver: h}\n${MINIMAL}`))).toEqual([
    'matrix.bot_user_id',
    'matrix.password',
  ]);
});
