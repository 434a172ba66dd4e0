import { expect, test } from 'vitest';
import { printPlainly, withoutSymbols } from '../../src/cli/plain-symbols.ts';
import { cliBox } from './run-cli.ts';

test('signs become words; headings lose theirs; names of strangers keep what they have', () => {
  expect(withoutSymbols('✅ Configuration file is valid!')).toBe('[ok] Configuration file is valid!');
  expect(withoutSymbols('📡 Radio:\n   ⚠️  base: no answer\n      → check power')).toBe(
    'Radio:\n   [warning] base: no answer\n      -> check power',
  );
  expect(withoutSymbols('   base 🏔 Zürich')).toBe('   base 🏔 Zürich');
});

test('what is no text goes through', () => {
  const said: unknown[][] = [];
  const target = {
    log: (...parts: unknown[]) => void said.push(parts),
    error: (...parts: unknown[]) => void said.push(parts),
  };
  printPlainly(target);
  target.log('✅ done', 3);
  target.error('❌ not');
  expect(said).toEqual([['[ok] done', 3], ['[error] not']]);
});

test.each([
  ['doctor', '--offline'],
  ['paths'],
  ['verify-migration'],
  ['config', 'diagnose'],
  ['config', 'check'],
  ['auth', 'status'],
  ['migrate', '--dry-run'],
  ['--help'],
])('on a terminal without symbols the output is ASCII: %s %s', async (...argv) => {
  const box = cliBox({ TERM: 'dumb' });
  const isTTY = Object.getOwnPropertyDescriptor(process.stdout, 'isTTY');
  Object.defineProperty(process.stdout, 'isTTY', { value: true, configurable: true });
  try {
    const { out, err } = await box.run(...argv);
    expect(out).toMatch(/\w/);
    expect([...`${out}${err}`].filter((character) => character > '~')).toEqual([]);
  } finally {
    if (isTTY === undefined) Reflect.deleteProperty(process.stdout, 'isTTY');
    else Object.defineProperty(process.stdout, 'isTTY', isTTY);
  }
});
