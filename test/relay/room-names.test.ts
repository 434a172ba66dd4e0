import { expect, it } from 'vitest';
import { RelayError } from '../../src/util/relay-error.ts';
import { startEngine } from '../support/engine-fixture.ts';
import { ROOM } from '../support/relay-fixture.ts';

it.each([
  ['MATRIX_FORBIDDEN', 'Could not join: not invited (invite the account, it joins by itself)'],
  ['MATRIX_NOT_FOUND', 'Could not join: not invited (check the alias; where there is none, invite the account)'],
  ['MATRIX_UNAVAILABLE', 'Could not join: not invited'],
] as const)('a room that stays shut with %s says what its owner can do', async (code, reason) => {
  const f = await startEngine({
    prepare: ({ matrix }) => {
      matrix.resolveRoom = () => Promise.reject(new RelayError(code, 'Could not join: not invited'));
    },
  });
  await f.clock.advance(10);

  expect(f.engine.blockedRooms().get(ROOM)).toBe(reason);
});
