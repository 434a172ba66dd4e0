import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { firstPoints, formatTemplate, parseFormat, pythonFormat } from '../../src/util/python-format.ts';

const variables = new Map([
  ['display', 'Alice Smith'],
  ['user', '@alice:ex.org:8448'],
  ['username', 'alice'],
  ['server', 'ex.org:8448'],
  ['long', 'Alice Long'],
  ['short', 'AL'],
  ['mesh', 'My Mesh'],
]);

function text(template: string): string | null {
  const result = pythonFormat(template, variables);
  return result.ok ? result.text : null;
}

describe('vectors of the Python relay (spec 02 sections 7.1 and 7.2)', () => {
  test.each([
    ['{display5}[M]: ', 'Alice[M]: '],
    ['{username}@{server}> ', 'alice@ex.org:8448> '],
    ['', ''],
    ['[{long}/{mesh}]: ', '[Alice Long/My Mesh]: '],
    ['({long4}/{mesh3}) {short}: ', '(Alic/My ) AL: '],
  ])('%s', (template, expected) => expect(text(template)).toBe(expected));

  test.each([
    '{bad}',
    '{display21}',
    '{display0}',
    '{display05}',
    '{short3}',
    '{user1}',
  ])('%s is an error', (template) => {
    expect(text(template)).toBeNull();
  });
});

// Each checked against CPython 3's str.format.
describe('format language', () => {
  test.each([
    ['{{{short}}}', '{AL}'],
    ['{{short}}', '{short}'],
    ['{short:<5}|', 'AL   |'],
    ['{short:>5}|', '   AL|'],
    ['{short:^5}|', ' AL  |'],
    ['{short:*^5}|', '*AL**|'],
    ['{short:5}|', 'AL   |'],
    ['{short:05}|', 'AL000|'],
    ['{long:.3}|', 'Ali|'],
    ['{long:<10.5}|', 'Alice     |'],
    ['{long:s}|', 'Alice Long|'],
    ['{short:😀>4}', '😀😀AL'],
  ])('%s', (template, expected) => expect(text(template)).toBe(expected));

  test.each([
    '{',
    '}',
    '{long',
    'a } b',
    '{}',
    '{0}',
    '{long!r}',
    '{long.real}',
    '{long[0]}',
    '{long:d}',
    '{long:+}',
    '{long:{short}}',
    '{long:9999}',
  ])('%s is an error, not an exception', (template) => {
    expect(text(template)).toBeNull();
    expect(parseFormat(template)).toMatchObject({ ok: false, error: expect.stringMatching(/\w/) });
  });
});

test('a template parsed once can be filled many times', () => {
  const template = parseFormat('{long4}|{short}');
  expect(formatTemplate(template, variables)).toEqual({ ok: true, text: 'Alic|AL' });
  expect(
    formatTemplate(
      template,
      new Map([
        ['long', 'Bo'],
        ['short', 'B'],
      ]),
    ),
  ).toEqual({ ok: true, text: 'Bo|B' });
  expect(formatTemplate(template, new Map())).toMatchObject({ ok: false });
});

describe('properties', () => {
  test('escaped text comes back as it was', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (plain) => {
        const escaped = plain.replaceAll('{', '{{').replaceAll('}', '}}');
        expect(pythonFormat(escaped, variables)).toEqual({ ok: true, text: plain });
      }),
    );
  });

  test('any template gives a text or an error', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom('{', '}', '{long}', '{mesh3}', ':<5', '!r', '{short:.1}', '{{'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const result = pythonFormat(pieces.join(''), variables);
        expect(typeof (result.ok ? result.text : result.error)).toBe('string');
      }),
    );
  });

  test('a cut variable is a prefix of the whole, in code points', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (name, count) => {
        const result = pythonFormat(`{long${count}}`, new Map([['long', name]]));
        expect(result).toEqual({ ok: true, text: [...name].slice(0, count).join('') });
        expect(firstPoints(name, count)).toBe([...name].slice(0, count).join(''));
      }),
    );
  });
});
