import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchMeshCommand } from '../../../src/plugins/commands/mesh-command.ts';
import { matchRoomCommand } from '../../../src/plugins/commands/room-command.ts';

const BOT = { userId: '@relay:ex.org', displayName: 'Relay Bot' };
const NAMES = ['ping', 'weather'];

function match(body: string, mentionRequired: boolean, formattedBody: string | null = null): string | null {
  const found = matchRoomCommand({ body, formattedBody }, NAMES, { bot: BOT, mentionRequired });
  return found === null ? null : `${found.name}|${found.args}`;
}

/** Spec 02 section 7.6: text, with mention required, without. */
const VECTORS: readonly (readonly [string, string | null, string | null])[] = [
  ['!ping', null, 'ping|'],
  ['@relay:ex.org !ping', 'ping|', 'ping|'],
  ['@relay:ex.org: !ping a b', 'ping|a b', 'ping|a b'],
  ['@relay:ex.org:!ping', null, null],
  ['@relay:ex.org!ping', null, null],
  ['@relay:ex.org, !ping', null, null],
  ['Relay Bot !ping', 'ping|', null],
  ['relay bot: !WEATHER x', 'weather|x', null],
  ['Relay Bot, !ping', null, null],
  ['Relay Bot!ping', null, null],
  ['hi !ping', null, null],
  ['hi Relay Bot !ping', null, null],
  ['!pingx', null, null],
  ['!ping\nmore', null, 'ping|more'],
  ['@Relay:ex.org !ping', null, null],
];

describe('commands in rooms', () => {
  it.each(VECTORS)('%j', (text, required, optional) => {
    expect([match(text, true), match(text, false)]).toEqual([required, optional]);
  });

  it.each([
    ['<a href="https://matrix.to/#/%40relay%3Aex.org">Relay</a> !ping 5', 'ping|5'],
    ['<a href="matrix:u/relay:ex.org">Relay</a>: !ping', 'ping|'],
    ["<a href='https://matrix.to/#/@relay:ex.org?via=ex.org'>R</a><br/>!weather &quot;x&quot;", 'weather|"x"'],
    ['<mx-reply>x <a href="https://matrix.to/#/@relay:ex.org">R</a> !ping</mx-reply>hello', null],
    ['<a href="https://matrix.to/#/@other:ex.org">Relay</a> !ping', null],
    ['<a title="href=https://matrix.to/#/@relay:ex.org" href="https://ex.org">Relay</a> !ping', null],
  ])('pill in %j', (html, expected) => {
    const body = 'Relay: see the HTML';
    expect([match(body, true, html), match(body, false, html)]).toEqual([expected, expected]);
  });

  it('nothing that needs a mention matches while the bot is nobody', () => {
    const options = { bot: { userId: null, displayName: null }, mentionRequired: true };
    expect(matchRoomCommand({ body: '@relay:ex.org !ping', formattedBody: null }, NAMES, options)).toBeNull();
  });

  it('is quick on any HTML', () => {
    const hostile = ['<a '.repeat(20_000), '<mx-reply>'.repeat(5_000), '&'.repeat(50_000), '<a href="'.repeat(10_000)];
    const startMs = performance.now();
    for (const html of hostile) match('x', true, html);
    expect(performance.now() - startMs).toBeLessThan(2_000);
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.boolean(), (body, html, required) => {
        match(body, required, html);
      }),
    );
  });
});

describe('commands on the mesh', () => {
  it.each([
    ['!ping', 'ping|'],
    ['  !PING a  b ', 'ping|a  b'],
    ['!pingx', null],
    ['say !ping', null],
    ['left it here !drop the key', 'drop|the key'],
    ['here!drop it', null],
    ['!drop it', 'drop|it'],
  ])('%j', (text, expected) => {
    const found = matchMeshCommand(text, { atStart: NAMES, anywhere: ['drop'] });
    expect(found === null ? null : `${found.name}|${found.args}`).toBe(expected);
  });
});
