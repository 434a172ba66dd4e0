import { describe, expect, test } from 'vitest';
import { readYaml } from '../../src/config/yaml-source.ts';

/** Values as PyYAML's SafeLoader reads them; each was checked with it. */
describe('as PyYAML', () => {
  test.each<readonly [string, unknown]>([
    ['yes', true],
    ['No', false],
    ['on', true],
    ['OFF', false],
    ['y', 'y'],
    ['N', 'N'],
    ['true', true],
    ['~', null],
    ['010', 8],
    ['0x1f', 31],
    ['12:30', 750],
    ['1_000', 1000],
    ['1.5', 1.5],
    ['"yes"', 'yes'],
    ['2.50', 2.5],
    ['0o10', '0o10'],
    ['0b11', 3],
    ['!!str 5', '5'],
    ['+1', 1],
    ['190:20:30', 685_230],
  ])('%s', (text, expected) => {
    expect(readYaml(`k: ${text}`).value).toEqual({ k: expected });
  });

  test('an unquoted room id is an error that says so', () => {
    expect(readYaml('id: !room:server\n').problems).toMatchObject([
      {
        place: { line: 1, column: 5 },
        message: expect.stringContaining('starts with !'),
        remedy: 'put the value in quotes',
      },
    ]);
  });

  test('merge keys: own keys win, then the earlier source', () => {
    const text = 'a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\nd:\n  <<: *b\n';
    expect(readYaml(text).value).toMatchObject({ c: { x: 3, y: 1, z: 2 }, d: { y: 2, z: 2 } });
  });

  test('places of merged and aliased keys', () => {
    const source = readYaml('a: &a\n  x: 1\nb:\n  <<: *a\n');
    expect(source.place(['b', 'x'])).toEqual({ line: 2, column: 3 });
    expect(source.place(['b', 'missing'])).toEqual({ line: 3, column: 1 });
  });

  test.each(['a: &a [*a]', 'a: &a {b: *a}', 'a: &a\n  <<: *a\n', 'a: *nowhere'])('%s does not loop', (text) => {
    expect(readYaml(text).problems.length).toBeGreaterThan(0);
  });

  test('aliases that multiply are stopped', () => {
    const lines = ['a0: &a0 [1,1,1,1,1,1,1,1,1]'];
    for (let i = 1; i < 12; i += 1)
      lines.push(
        `a${i}: &a${i} [${Array(9)
          .fill(`*a${i - 1}`)
          .join(',')}]`,
      );
    expect(readYaml(lines.join('\n')).problems).toContainEqual(
      expect.objectContaining({ message: expect.stringContaining('too large') }),
    );
  });

  test('no key is special', () => {
    const { value } = readYaml('__proto__: {polluted: yes}\nconstructor: 1\n');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor']);
    expect({}).not.toHaveProperty('polluted');
  });
});
