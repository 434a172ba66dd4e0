import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { maxTextBytes, splitText, truncateText } from '../../../src/relay/rules/split-text.ts';
import { utf8Bytes } from '../../../src/util/utf8.ts';

const anyText = fc
  .array(fc.constantFrom('a', 'é', 'Ж', '漢', '👍🏽', '👨‍👩‍👧', ' ', '\n', 'word ', '🇩🇪'), { maxLength: 400 })
  .map((parts) => parts.join(''));

describe('the limits of the air', () => {
  it.each([
    [{}, 232],
    [{ reply: true }, 227],
    [{ reaction: true }, 222],
    [{ pki: true }, 220],
    [{ pki: true, reply: true }, 215],
    [{ pki: true, reaction: true }, 210],
  ])('%j takes %i bytes', (kind, bytes) => {
    expect(maxTextBytes(kind)).toBe(bytes);
  });
});

describe('splitting', () => {
  it('leaves a text alone that fits', () => {
    expect(splitText('hi', { prefix: 'A: ', firstBytes: 232, otherBytes: 232, maxParts: 4 })).toEqual({
      parts: ['A: hi'],
      cut: false,
    });
  });

  it('breaks at words and numbers the parts', () => {
    const { parts } = splitText('aaaa bbbb cccc dddd', { prefix: '', firstBytes: 16, otherBytes: 16, maxParts: 4 });

    expect(parts).toEqual(['(1/2) aaaa bbbb', '(2/2) cccc dddd']);
  });

  it('is never over the limit, never invalid, and joins back to the text', () => {
    fc.assert(
      fc.property(anyText, fc.integer({ min: 60, max: 232 }), fc.string({ maxLength: 10 }), (text, limit, prefix) => {
        const { parts, cut } = splitText(text, { prefix, firstBytes: limit, otherBytes: limit, maxParts: 60 });

        for (const part of parts) {
          expect(utf8Bytes(part)).toBeLessThanOrEqual(limit);
          expect(part.isWellFormed()).toBe(prefix.isWellFormed() || part === parts[0] ? part.isWellFormed() : true);
        }
        expect(cut).toBe(false);
        const joined = parts
          .map((part, index) => (index === 0 ? part.slice(prefix.length) : part).replace(/^\(\d+\/\d+\) /, ''))
          .join('');
        expect(joined.replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
      }),
    );
  });

  it('never tears an emoji apart', () => {
    const { parts } = splitText('👨‍👩‍👧'.repeat(30), { prefix: '', firstBytes: 100, otherBytes: 100, maxParts: 20 });

    for (const part of parts) expect(part.replace(/^\(\d+\/\d+\) /, '').replaceAll('👨‍👩‍👧', '')).toBe('');
  });

  it('marks a cut within the limit', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const { parts, cut } = splitText(text, { prefix: 'A: ', firstBytes: 60, otherBytes: 50, maxParts: 2 });

        expect(parts.length).toBeLessThanOrEqual(2);
        expect(utf8Bytes(parts[0] ?? '')).toBeLessThanOrEqual(60);
        expect(utf8Bytes(parts[1] ?? '')).toBeLessThanOrEqual(50);
        if (cut) expect(parts.at(-1)).toMatch(/…$/);
      }),
    );
  });

  it('truncation keeps one part with a mark', () => {
    expect(truncateText('x'.repeat(300), { prefix: '', firstBytes: 232 })).toEqual({
      parts: [`${'x'.repeat(229)}…`],
      cut: true,
    });
    expect(truncateText('é'.repeat(200), { prefix: '', firstBytes: 227 }).parts[0]).toBe(`${'é'.repeat(112)}…`);
  });

  it('splits even a single grapheme that is longer than a packet', () => {
    const zalgo = `a${'\u0301'.repeat(300)}`;

    const { parts } = splitText(zalgo, { prefix: '', firstBytes: 232, otherBytes: 232, maxParts: 4 });

    for (const part of parts) expect(utf8Bytes(part)).toBeLessThanOrEqual(232);
    expect(parts.length).toBeGreaterThan(1);
  });
});
