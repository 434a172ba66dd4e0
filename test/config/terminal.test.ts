import { expect, test } from 'vitest';
import type { Env } from '../../src/config/env.ts';
import { terminalAbilities } from '../../src/config/terminal.ts';

const colour = (env: Env, isTerminal: boolean): boolean => terminalAbilities(env, isTerminal).colour;
const symbols = (env: Env, isTerminal: boolean): boolean => terminalAbilities(env, isTerminal).symbols;

test('colours on a terminal that has them, unless somebody says otherwise', () => {
  expect(colour({}, true)).toBe(true);
  expect(colour({ TERM: 'xterm-256color' }, true)).toBe(true);
  expect(colour({ TERM: 'dumb' }, true)).toBe(false);
  expect(colour({}, false)).toBe(false);
  expect(colour({ FORCE_COLOR: '1' }, false)).toBe(true);
  expect(colour({ FORCE_COLOR: '', TERM: 'dumb' }, false)).toBe(true);
  expect(colour({ FORCE_COLOR: '0' }, true)).toBe(false);
  expect(colour({ NO_COLOR: '1' }, true)).toBe(false);
  expect(colour({ NO_COLOR: '1', FORCE_COLOR: '1' }, true)).toBe(false);
  expect(colour({ NO_COLOR: '' }, true), 'empty means nothing (no-color.org)').toBe(true);
});

test('symbols unless the terminal or its locale cannot show them; in a pipe always, for the scripts of the old relay', () => {
  expect(symbols({}, true)).toBe(true);
  expect(symbols({ TERM: 'xterm', LANG: 'de_DE.UTF-8' }, true)).toBe(true);
  expect(symbols({ TERM: 'xterm', LANG: 'C.utf8' }, true)).toBe(true);
  expect(symbols({ TERM: 'dumb', LANG: 'C.UTF-8' }, true)).toBe(false);
  expect(symbols({ TERM: 'linux' }, true)).toBe(false);
  expect(symbols({ TERM: 'vt220' }, true)).toBe(false);
  expect(symbols({ TERM: 'xterm', LANG: 'de_DE.ISO-8859-1' }, true)).toBe(false);
  expect(symbols({ TERM: 'xterm', LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, true)).toBe(false);
  expect(symbols({ TERM: 'xterm', LC_ALL: '', LANG: 'C.UTF-8' }, true)).toBe(true);
  expect(symbols({ TERM: 'dumb', LANG: 'C' }, false)).toBe(true);
});
