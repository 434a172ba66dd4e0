import { expect, test } from 'vitest';
import { configuredLogin } from '../../../src/app/account/choose-auth.ts';
import { config, MINIMAL } from '../../config/helpers.ts';

test.each<readonly [string, string | undefined]>([
  ['{homeserver: h, bot_user_id: b, password: p, access_token: t}', 'password'],
  ['{homeserver: h, bot_user_id: b, password: "  ", access_token: t}', 'token'],
  ['{homeserver: h, access_token: t}', 'token'],
  ['{homeserver: h, bot_user_id: b, password: "  "}', undefined],
  ['{access_token: t}', undefined],
])('%s -> %s', (matrix, kind) => {
  expect(configuredLogin(config(`matrix: ${matrix}\n${MINIMAL}`).matrix)?.kind).toBe(kind);
});
