import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { htmlToText } from '../../../src/relay/rules/html-to-text.ts';

describe('Matrix HTML as text', () => {
  it.each([
    ['<b>bold</b> and <code>x &lt; y</code>', 'bold and x < y'],
    ['a<br>b<br/>c', 'a\nb\nc'],
    ['<p>one</p><p>two</p>', 'one\ntwo'],
    ['<ol><li>first</li><li>second<ul><li>deep</li></ul></li></ol>', '1. first\n2. second\n  - deep'],
    ['<blockquote>said<br>before</blockquote>answer', '> said\n> before\nanswer'],
    ['<pre><code>a  b\n  c</code></pre>', 'a  b\n  c'],
    ['<a href="https://ex.org">https://ex.org/</a>', 'https://ex.org'],
    ['<a href="https://ex.org/x">page</a>', 'page (https://ex.org/x)'],
    ['<a href="javascript:alert(1)">click</a>', 'click'],
    ['hi <a href="https://matrix.to/#/@a:b">Ann</a>', 'hi Ann'],
    ['<span data-mx-spoiler="why">the <b>end</b></span>!', '[spoiler]!'],
    ['<del>old</del>', '~old~'],
    ['<img alt=":cat:" src="mxc://x/y">', ':cat:'],
    ['<script>alert(1)</script>x', 'x'],
    ['&#128077; &#x41; &unknown; &amp;lt;', '👍 A &unknown; &lt;'],
    ['1 < 2 > 0', '1 < 2 > 0'],
    ['<b>never closed', 'never closed'],
    ['<!-- hidden -->shown', 'shown'],
  ])('%j reads %j', (html, expected) => {
    expect(htmlToText(html)).toBe(expected);
  });

  it('never throws, whatever it is fed, and leaves plain words alone', () => {
    const soup = fc
      .array(
        fc.constantFrom(
          '<b>',
          '</b>',
          '<a href="x',
          '">',
          '<!--',
          '<span data-mx-spoiler>',
          '</span>',
          '&#',
          ';',
          '<li>',
          '</ul>',
          'word',
          '\n',
          '<mx-reply>',
          '</blockquote>',
        ),
      )
      .map((parts) => parts.join(''));

    fc.assert(fc.property(soup, (html) => typeof htmlToText(html) === 'string'));
    fc.assert(fc.property(fc.stringMatching(/^[a-z]+( [a-z]+)*$/), (words) => htmlToText(words) === words));
  });

  it('takes linear time', () => {
    const started = performance.now();
    for (const hostile of [
      '<'.repeat(60_000),
      '<a '.repeat(20_000),
      '&'.repeat(60_000),
      '<!--'.repeat(15_000),
      '<x "'.repeat(15_000),
    ])
      htmlToText(hostile);

    expect(performance.now() - started).toBeLessThan(5_000);
  });
});
