import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { distanceKm, meanPlace } from '../../../plugins/shared/geo.ts';
import { cutBytes, pageOf, utf8Length } from '../../../plugins/shared/mesh-text.ts';
import { fixed, float32Text, median } from '../../../plugins/shared/numbers.ts';
import { loadFont, rasterise } from '../../../plugins/shared/raster.ts';
import { escapeXml } from '../../../plugins/shared/svg.ts';
import { Turns } from '../../../plugins/shared/turns.ts';
import { longDuration, shortDuration } from '../../../plugins/shared/when.ts';

describe('numbers as Python prints them', () => {
  it.each([
    [0.25, 1, '0.2'],
    [0.75, 1, '0.8'],
    [0.35, 1, '0.3'],
    [2.5, 0, '2'],
    [3.5, 0, '4'],
    [-0.04, 1, '0.0'],
    [-1.25, 1, '-1.2'],
    [99.96, 1, '100.0'],
    [12, 2, '12.00'],
  ])('%f with %i digits: %s', (value, digits, expected) => {
    expect(fixed(value, digits)).toBe(expected);
  });

  it('differs from toFixed in exact ties only', () => {
    fc.assert(
      fc.property(fc.double({ min: -1e6, max: 1e6, noNaN: true }), fc.integer({ min: 0, max: 4 }), (value, digits) => {
        const step = 10 ** -digits;
        expect(Math.abs(Number(fixed(value, digits)) - value)).toBeLessThanOrEqual(step / 2 + Math.abs(value) * 1e-15);
      }),
    );
  });

  it('writes floats of the mesh with their shortest digits', () => {
    expect([4.012, 6, -0.25, 3.7].map((value) => float32Text(Math.fround(value)))).toEqual([
      '4.012',
      '6.0',
      '-0.25',
      '3.7',
    ]);
    expect(median([3, 1, 2, 10])).toBe(2.5);
  });
});

describe('texts for the mesh', () => {
  it('cuts between characters as people see them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 50 }), (text, bytes) => {
        const cut = cutBytes(text, bytes);
        expect(utf8Length(cut)).toBeLessThanOrEqual(bytes);
        expect(text.startsWith(cut)).toBe(true);
      }),
    );
    expect(cutBytes('a👨‍👩‍👧b', 10)).toBe('a');
  });

  it('pages hold every line once, within the limit', () => {
    const line = fc
      .string({ minLength: 1, maxLength: 60 })
      .filter((text) => !text.includes('\n') && !text.startsWith('More:'));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
        const seen: string[] = [];
        for (let page = 1; ; page += 1) {
          const text = pageOf({ title: 'Title', lines, page, command: '!x' });
          expect(utf8Length(text)).toBeLessThanOrEqual(200);
          const rows = text.split('\n').slice(1);
          const more = rows.at(-1) === `More: !x ${page + 1}`;
          seen.push(...(more ? rows.slice(0, -1) : rows));
          if (!more) break;
        }
        expect(seen).toEqual(lines.map((one) => cutBytes(one, 171)));
      }),
    );
  });

  it('writes durations', () => {
    expect([0, 59_000, 60_000, 3_599_000, 90_000_000].map(shortDuration)).toEqual(['now', 'now', '1m', '59m', '1d']);
    expect([1500, 90_000, 3_600_000, 11_100_000, 190_000_000].map(longDuration)).toEqual([
      '2 s',
      '2 min',
      '1 h',
      '3 h 5 min',
      '2 d 4 h',
    ]);
  });
});

describe('places', () => {
  it('knows distances and the middle across the date line', () => {
    expect(distanceKm({ latitude: 52.52, longitude: 13.405 }, { latitude: 48.137, longitude: 11.575 })).toBeCloseTo(
      504.4,
      0,
    );
    expect(distanceKm({ latitude: 0, longitude: 179.5 }, { latitude: 0, longitude: -179.5 })).toBeCloseTo(111.2, 0);
    expect(
      Math.abs(
        meanPlace([
          { latitude: 0, longitude: 179 },
          { latitude: 2, longitude: -179 },
        ])?.longitude ?? 0,
      ),
    ).toBeCloseTo(180);
  });
});

it('takes turns, also after one that failed', async () => {
  const turns = new Turns();
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await new Promise((resolve) => setImmediate(resolve));
    order.push(`${name} ends`);
    if (name === 'a') throw new Error('a failed');
    return name;
  };
  const [a, b] = await Promise.allSettled([turns.take(work('a')), turns.take(work('b'))]);
  expect([a.status, b.status]).toEqual(['rejected', 'fulfilled']);
  expect(order).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
});

describe('drawing', () => {
  it('measures texts and knows which characters the font has', async () => {
    const font = await loadFont();
    expect(font.width('Hello', 16)).toBeCloseTo(40.55, 2);
    expect(['A', 'Ж', '☀', '🦘', '漢'].map((char) => font.has(char.codePointAt(0) ?? 0))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
  });

  it('says what is wrong with a document that is no SVG', async () => {
    await expect(rasterise('<svg')).rejects.toThrow(/SVG/);
  });

  it('lets no name break the document', async () => {
    const name = '"<&>\u0001\ud800';
    const png = await rasterise(
      `<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>${escapeXml(name)}</text></svg>`,
    );
    expect([...png.slice(1, 4)]).toEqual([0x50, 0x4e, 0x47]);
  });
});
