import { describe, expect, it } from 'vitest';
import type { RadioDelivery } from '../../../src/relay/delivery.ts';
import { roomToMesh } from '../../../src/relay/rules/room-to-mesh.ts';
import type { Intent } from '../../../src/relay/rules/view.ts';
import { utf8Bytes } from '../../../src/util/utf8.ts';
import { BOT, link, NOW_MS, radioSettings, roomEvent, route, settings, world } from '../../support/relay-fixture.ts';

function dropReason(intents: readonly Intent[]): string | null {
  const [only] = intents;
  return intents.length === 1 && only?.kind === 'drop' ? only.reason : null;
}

function packets(intents: readonly Intent[]): readonly RadioDelivery[] {
  return intents.flatMap((intent) => (intent.kind === 'to-radio' ? intent.deliveries : []));
}

function texts(intents: readonly Intent[]): readonly string[] {
  return packets(intents).map((delivery) => delivery.text);
}

function content(change: Record<string, unknown>): { content: never } {
  return { content: { msgtype: 'm.text', body: 'hello', ...change } as never };
}

describe('a text from a room', () => {
  it('goes on the air on the room channel, under its sender', () => {
    const [delivery] = packets(roomToMesh(roomEvent(), world()));

    expect(delivery).toMatchObject({
      text: 'Alice[M]: hello',
      channel: 0,
      to: 0xffffffff,
      portnum: 1,
      replyId: 0,
      emoji: 0,
    });
  });

  it.each([
    ['{username}@{server}> ', '@alice:ex.org:8448', 'alice@ex.org:8448> hello'],
    ['{bad}', '@alice:ex.org', 'Alice[M]: hello'],
    ['', '@alice:ex.org', 'hello'],
  ])('prefix format %j for %s', (prefixFormat, sender, expected) => {
    const radios = new Map([['default', radioSettings({ prefixFormat })]]);

    expect(texts(roomToMesh(roomEvent({ sender }), world({ settings: settings({ radios }) })))).toEqual([expected]);
  });

  it('is split, not cut (W15)', () => {
    const body = 'Привет мир! '.repeat(40).trim();

    const parts = texts(roomToMesh(roomEvent({ body }), world()));

    expect(parts.length).toBeGreaterThan(1);
    for (const part of parts) expect(utf8Bytes(part)).toBeLessThanOrEqual(232);
    expect(parts[0]).toMatch(/^Alice\[M\]: \(1\/\d\) /);
  });

  it('beyond the cap says so to the sender', () => {
    const intents = roomToMesh(roomEvent({ body: 'word '.repeat(600) }), world());

    expect(texts(intents)).toHaveLength(4);
    expect(texts(intents).at(-1)).toMatch(/…$/);
    expect(intents.find((intent) => intent.kind === 'tell')).toMatchObject({ reason: 'cut', eventId: '$event' });
  });
});

describe('what is not sent', () => {
  it.each([
    ['our own events', roomEvent({ sender: BOT }), 'own event'],
    ['rooms that are not mapped', roomEvent({ roomId: '!else:ex.org' }), 'room is not mapped'],
    ['notices (bot loops, W24)', roomEvent(content({ msgtype: 'm.notice' })), 'm.notice'],
    ['plugin output of other relays', roomEvent(content({ mmrelay_suppress: true })), 'suppressed by its sender'],
    ['old messages', roomEvent({ timestampMs: NOW_MS - 13 * 3_600_000 }), 'too old'],
    [
      'our own meshnet, also as a reply (02 section 3.2 step 9)',
      roomEvent(
        content({
          meshtastic_longname: 'X',
          meshtastic_meshnet: 'Home',
          'm.relates_to': { 'm.in_reply_to': { event_id: '$original' } },
        }),
      ),
      'already on this mesh',
    ],
  ])('%s', (_name, event, reason) => {
    expect(dropReason(roomToMesh(event, world({ links: [link()] })))).toBe(reason);
  });

  it('a refused sender is told and nothing goes on the air', () => {
    for (const change of [{ deny: ['@alice:ex.org'] }, { allow: ['@*:other.org'] }, { minPowerLevel: 50 }]) {
      const intents = roomToMesh(
        roomEvent(),
        world({ settings: settings({ routes: [route(change)] }), powerLevels: { '@alice:ex.org': 0 } }),
      );

      expect(packets(intents)).toEqual([]);
      expect(intents).toMatchObject([{ kind: 'tell', reason: 'refused' }]);
    }
  });
});

describe('replies, reactions, edits', () => {
  const reply = content({
    body: '> <@bob:ex.org> original\n> words\n\nyes',
    'm.relates_to': { 'm.in_reply_to': { event_id: '$original' } },
  });

  it('a reply names the packet and carries no quote (W38)', () => {
    const [delivery] = packets(roomToMesh(roomEvent(reply), world({ links: [link()] })));

    expect(delivery).toMatchObject({ text: 'Alice[M]: yes', replyId: 4711 });
  });

  it('a reply to something the mesh does not know is an ordinary text without quote', () => {
    const [delivery] = packets(roomToMesh(roomEvent(reply), world()));

    expect(delivery).toMatchObject({ text: 'Alice[M]: yes', replyId: 0 });
  });

  it('a thread is a reply to its root', () => {
    const thread = content({ 'm.relates_to': { rel_type: 'm.thread', event_id: '$original' } });

    expect(packets(roomToMesh(roomEvent(thread), world({ links: [link()] })))[0]?.replyId).toBe(4711);
  });

  const reaction = roomEvent({
    type: 'm.reaction',
    content: { 'm.relates_to': { rel_type: 'm.annotation', event_id: '$original', key: '👍🏽' } },
  });

  it('a reaction is a tapback: the emoji alone (W39)', () => {
    const [delivery] = packets(roomToMesh(reaction, world({ links: [link()] })));

    expect(delivery).toMatchObject({ text: '👍🏽', replyId: 4711, emoji: 1 });
  });

  it('a reaction to an unknown message costs no airtime', () => {
    expect(dropReason(roomToMesh(reaction, world()))).toBe('reaction to a message the mesh does not know');
  });

  it('an edit is one correction of what changed, never the old text twice (W37)', () => {
    const edit = content({
      body: '* fixed',
      'm.new_content': { msgtype: 'm.text', body: 'fixed' },
      'm.relates_to': { rel_type: 'm.replace', event_id: '$original' },
    });

    expect(packets(roomToMesh(roomEvent(edit), world({ links: [link()] })))).toMatchObject([
      { text: 'Alice[M]: * fixed', replyId: 4711 },
    ]);
    expect(dropReason(roomToMesh(roomEvent(edit), world()))).toBe('edit of a message the mesh does not know');
  });

  it('an edit that changes no word of the text costs no airtime', () => {
    const edit = content({
      'm.new_content': { msgtype: 'm.text', body: 'original words' },
      'm.relates_to': { rel_type: 'm.replace', event_id: '$original' },
    });

    expect(dropReason(roomToMesh(roomEvent(edit), world({ links: [link()] })))).toBe('edit that changes nothing');
  });

  it('taking a reaction back says nothing: a tapback cannot be taken back on the mesh', () => {
    const redaction = roomEvent({ type: 'm.room.redaction', redacts: '$reaction', content: {} });

    expect(
      dropReason(roomToMesh(redaction, world({ links: [link()], settings: settings({ redactions: 'notice' }) }))),
    ).toBe('redaction of a message the mesh does not know');
  });

  it('a redaction is silent by default, a short notice when asked', () => {
    const redaction = roomEvent({ type: 'm.room.redaction', redacts: '$original', content: {} });

    expect(dropReason(roomToMesh(redaction, world({ links: [link()] })))).toBe('redactions are ignored');
    expect(
      texts(roomToMesh(redaction, world({ links: [link()], settings: settings({ redactions: 'notice' }) }))),
    ).toEqual(['Alice[M]: deleted a message: "original words"']);
  });
});

describe('more than text (W37)', () => {
  it.each([
    [content({ msgtype: 'm.image', body: 'cat.jpg', info: { size: 123_456 } }), '[image cat.jpg, 123 kB]'],
    [content({ msgtype: 'm.image', body: 'look!', filename: 'cat.jpg' }), '[image cat.jpg] look!'],
    [
      content({
        msgtype: 'm.audio',
        body: 'Voice message',
        info: { duration: 12_300 },
        'org.matrix.msc3245.voice': {},
      }),
      '[voice 12 s]',
    ],
    [
      content({ msgtype: 'm.location', body: 'camp', geo_uri: 'geo:52.123456,13.4;u=10' }),
      '[location 52.12346,13.40000] camp',
    ],
    [content({ msgtype: 'm.emote', body: 'waves' }), '*waves*'],
    [
      {
        type: 'm.poll.start',
        content: {
          'm.poll': {
            question: { 'm.text': [{ body: 'Where?' }] },
            answers: [{ 'm.text': [{ body: 'here' }] }, { 'm.text': [{ body: 'there' }] }],
          },
        } as never,
      },
      '[poll] Where? 1) here 2) there',
    ],
    [{ type: 'm.sticker', content: { body: 'a frog' } as never }, '[sticker] a frog'],
  ])('%j', (change, expected) => {
    expect(texts(roomToMesh(roomEvent(change), world()))).toEqual([`Alice[M]: ${expected}`]);
  });

  it('formatted text reads well on a small screen', () => {
    const html = content({
      format: 'org.matrix.custom.html',
      formatted_body:
        '<mx-reply><blockquote>old</blockquote></mx-reply><p>Hi <a href="https://matrix.to/#/@bob:ex.org">Bob</a>, see <a href="https://ex.org/a">this</a></p><ul><li>one</li><li>two &amp; three</li></ul><span data-mx-spoiler>secret</span>',
    });

    expect(texts(roomToMesh(roomEvent(html), world()))).toEqual([
      'Alice[M]: Hi Bob, see this (https://ex.org/a)\n- one\n- two & three\n[spoiler]',
    ]);
  });
});

describe('other relays in the room', () => {
  const foreign = content({
    body: '[Bob Far/Away Mesh]: over',
    meshtastic_longname: 'Bob Far',
    meshtastic_shortname: 'BF',
    meshtastic_meshnet: 'Away Mesh',
    meshtastic_text: 'over',
  });
  const trusted = world({ settings: settings({ trustedRelays: new Set(['@relay:ex.org']) }) });

  it('a trusted relay speaks for its nodes', () => {
    expect(texts(roomToMesh(roomEvent({ sender: '@relay:ex.org', ...foreign }), trusted))).toEqual([
      '[Bob Far/Away]: over',
    ]);
  });

  it('anybody else who writes the keys speaks under their own name (W23)', () => {
    expect(texts(roomToMesh(roomEvent(foreign), trusted))).toEqual(['Alice[M]: [Bob Far/Away Mesh]: over']);
  });

  it('the whole remote text fits the air, prefix included (W12)', () => {
    const event = roomEvent({
      sender: '@relay:ex.org',
      ...content({ meshtastic_longname: 'B', meshtastic_meshnet: 'Away', meshtastic_text: 'x'.repeat(300) }),
    });

    for (const part of texts(roomToMesh(event, trusted))) expect(utf8Bytes(part)).toBeLessThanOrEqual(232);
  });

  it("an old relay's emote is a reaction in words", () => {
    const event = roomEvent({
      sender: '@relay:ex.org',
      ...content({
        msgtype: 'm.emote',
        body: '\n [Bob Far/Away Mesh]: reacted 👍 to "hi"',
        meshtastic_longname: 'Bob Far',
        meshtastic_shortname: 'BF',
        meshtastic_meshnet: 'Away Mesh',
        meshtastic_replyId: 5,
        meshtastic_text: 'hi',
      }),
    });

    expect(texts(roomToMesh(event, trusted))).toEqual(['BF/Away reacted 👍 to "hi"']);
  });
});
