import { describe, expect, it } from 'vitest';
import ping from '../../../plugins/ping/index.ts';
import { mimicPing } from '../../../plugins/ping/reply.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';

const replyTo = async (text: string, config: object, hopLimit = 3, hopStart = 3) => {
  const { replies, handled } = await testPlugin(ping, { config: { ...config } }).mesh(text, { hopLimit, hopStart });
  return handled ? replies.map((reply) => reply.text).join() : 'not handled';
};

describe('ping', () => {
  it('answers pong! in a room, with a mark', async () => {
    const outcome = await testPlugin(ping).room('!ping');
    expect(outcome).toEqual({ handled: true, replies: [{ text: 'pong!' }], reactions: ['✅'] });
  });

  it.each([
    ['!ping', 'pong!'],
    ['!PiNg', 'pong!'],
    ['ping', 'not handled'],
    ['ping!', 'not handled'],
    ['!ping?', 'not handled'],
  ])('on the mesh: %s -> %s', async (text, expected) => {
    expect(await replyTo(text, {})).toBe(expected);
  });

  it.each([
    ['!ping', '!pong'],
    ['ping', 'pong'],
    ['PING', 'PONG'],
    ['Ping??', 'Pong??'],
    ['!?pInG!', '!?pOnG!'],
    ['!!!!!ping!!!!!', '!!!!!pong!!!!!'],
    ['!!!!!!ping', 'Pong...'],
    ['ping??????', 'Pong...'],
    ['pinging', 'not handled'],
    ['a ping', 'not handled'],
  ])('in mimic mode: %s -> %s', async (text, expected) => {
    expect(await replyTo(text, { mimic_mode: true })).toBe(expected);
  });

  it.each([
    [3, 3, 'pong! (0 hops 🦘)'],
    [2, 3, 'pong! (1 hop 🦘)'],
    [1, 3, 'pong! (2 hops 🦘)'],
    [5, 3, 'pong! (0 hops 🦘)'],
    [3, 0, 'pong!'],
  ])('says the hops: limit %i of %i -> %s', async (hopLimit, hopStart, expected) => {
    expect(await replyTo('!ping', { display_hops: true }, hopLimit, hopStart)).toBe(expected);
  });

  it('warns of a mimic mode that is no boolean, and leaves it off', async () => {
    const tester = testPlugin(ping, { config: { mimic_mode: 'yes please' } });
    expect(tester.manifest.warnings).toHaveLength(1);
    expect((await tester.mesh('ping')).handled).toBe(false);
  });

  it('knows a text that only looks like a ping', () => {
    expect(mimicPing('pіng')).toBeNull();
  });
});
