import { describe, expect, it } from 'vitest';
import { meshToRooms } from '../../src/relay/rules/mesh-to-room.ts';
import { meshPrefix, roomPrefix } from '../../src/relay/rules/prefix.ts';
import { roomToMesh } from '../../src/relay/rules/room-to-mesh.ts';
import { link, packet, radioSettings, roomEvent, settings, world } from '../support/relay-fixture.ts';

/**
 * The vectors of spec 02 section 7, taken from the Python relay 1.4 as it runs. Where we differ on purpose, the row
 * says what the old relay gave and names the weak spot that made us.
 */

function onAir(event: ReturnType<typeof roomEvent>, view = world()): readonly string[] {
  return roomToMesh(event, view).flatMap((intent) =>
    intent.kind === 'to-radio' ? intent.deliveries.map(({ text }) => text) : [],
  );
}

function body(text: string): unknown {
  const [intent] = meshToRooms('default', packet({ text }), world());
  return intent?.kind === 'to-room' && intent.delivery.kind === 'event' ? intent.delivery.content.body : null;
}

describe('7.1 prefix on the mesh', () => {
  it.each([
    ['{display5}[M]: ', 'Alice Smith', '@alice:ex.org', 'Alice[M]: '],
    ['{username}@{server}> ', 'Alice', '@alice:ex.org:8448', 'alice@ex.org:8448> '],
    ['{bad}', 'Alice', '@alice:ex.org', 'Alice[M]: '],
    ['{display21}', 'Alice', '@alice:ex.org', 'Alice[M]: '],
    ['', 'Alice', '@alice:ex.org', ''],
  ])('%j for %s', (format, display, userId, expected) => {
    expect(meshPrefix(format, { display, userId })).toBe(expected);
  });
});

describe('7.2 prefix in rooms', () => {
  const names = { long: 'Alice Long', short: 'AL', mesh: 'My Mesh' };

  it.each([
    ['[{long}/{mesh}]: ', '[Alice Long/My Mesh]: '],
    ['({long4}/{mesh3}) {short}: ', '(Alic/My ) AL: '],
  ])('%j', (format, expected) => {
    expect(roomPrefix(format, names)).toBe(expected);
  });
});

describe('7.3 formatted bodies: differ by W26, the words arrive as typed and are not formatting', () => {
  it.each([
    ['hello *world*', '<p>[Alice/My_Mesh]: hello <em>world</em></p>'],
    ['line1\nline2', '<p>[Alice/M]: line1\nline2</p>'],
    ['# head', '<p>[A/M]: # head</p>'],
    ['a < b & c > d', '<p>[A/M]: a &lt; b &amp; c &gt; d</p>'],
    ['<script>alert(1)</script>x', '<p>[A/M]: x</p>'],
    ['<a href="javascript:x">k</a>', '<p>[A/M]: <a rel="noopener noreferrer">k</a></p>'],
    ['~~x~~ snake_case_word 2*3*4', '<p>[A/M]: ~~x~~ snake_case_word 2<em>3</em>4</p>'],
  ])('%j (old: %s)', (text) => {
    expect(body(text)).toBe(`[Alice Long/Home]: ${text}`);
  });
});

describe('7.4 truncation: differs by W15, a long text is split, or cut with a mark when that is asked for', () => {
  const truncating = world({
    settings: settings({
      longMessages: 'truncate',
      radios: new Map([['default', radioSettings({ prefixFormat: '' })]]),
    }),
  });

  it.each([
    ['x'.repeat(300), `${'x'.repeat(229)}…`, '227 × x'],
    ['é'.repeat(200), `${'é'.repeat(114)}…`, '113 characters, 226 bytes'],
  ])('%s', (text, expected) => {
    expect(onAir(roomEvent({ body: text }), truncating)).toEqual([expected]);
  });
});

describe('7.5 replies', () => {
  const reply = (words: string, keys: object = {}): ReturnType<typeof roomEvent> =>
    roomEvent({
      sender: '@alice:ex.org',
      content: {
        msgtype: 'm.text',
        body: words,
        'm.relates_to': { 'm.in_reply_to': { event_id: '$original' } },
        ...keys,
      } as never,
    });
  const known = world({ links: [link()] });

  it('an answer without its quote; line breaks stay (old: "Alice[M]: yes ok")', () => {
    expect(onAir(reply('> <@bob:x> hi\n\nyes\nok'), known)).toEqual(['Alice[M]: yes\nok']);
  });

  it('only a quote says nothing, and costs no air (old: "Alice[M]:", W38)', () => {
    expect(onAir(reply('> <@bob:x> hi'), known)).toEqual([]);
  });

  it("a remote node's answer, its own prefix removed (old: two spaces, W41)", () => {
    const keys = { meshtastic_longname: 'Al', meshtastic_meshnet: 'Remote' };
    const trusting = world({ links: [link()], settings: settings({ trustRoomRelays: true }) });

    expect(onAir(reply('[Al/Remote]: hey', keys), trusting)).toEqual(['[Al/Remo]: hey']);
  });

  it('quoted lines inside the words are words (old: removed from everywhere)', () => {
    expect(onAir(roomEvent({ body: '> a\nb\n  > c\n d ' }))).toEqual(['Alice[M]: > a\nb\n  > c\n d']);
  });
});
