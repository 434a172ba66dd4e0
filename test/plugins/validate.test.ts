import { expect, it } from 'vitest';
import { assertPlugin } from '../../src/plugins/validate.ts';

const BASE = { name: 'lamp', version: '1', api: 1 };
const RUN = { name: 'lamp', description: 'x', run: () => undefined };

it.each([
  [
    'a field of an unknown type',
    { configSchema: { at: { type: 'time', description: 'x' } } },
    /type of at in configSchema must be one of boolean, /,
  ],
  ['fields as a list', { configSchema: [] }, /configSchema must map names/],
  [
    'an argument of an unknown type',
    { commands: [{ ...RUN, args: { who: { type: 'person' } } }] },
    /type of who in args of command lamp .* word, text/,
  ],
  ['a side there is not', { commands: [{ ...RUN, on: ['rooms'] }] }, /on of command lamp/],
  ['a side that is no list', { commands: [{ ...RUN, on: 'room' }] }, /on of command lamp/],
  ['a schedule by a function', { schedule: () => [] }, /schedule must be a list/],
  ['a command without run', { commands: [{ ...RUN, run: undefined }] }, /command lamp has no run/],
])('refuses %s and says what is right', (_what, change, problem) => {
  expect(() => assertPlugin({ ...BASE, ...change })).toThrow(problem);
});

it('takes commands by a function of the configuration', () => {
  expect(assertPlugin({ ...BASE, commands: () => [RUN] }).name).toBe('lamp');
});
