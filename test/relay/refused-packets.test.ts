/** A packet that the radio refused goes out again under another id: what points to it has to follow. */

import { describe, expect, it } from 'vitest';
import type { OutgoingPacket } from '../../src/relay/ports.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { type EngineFixture, startEngine } from '../support/engine-fixture.ts';
import { packet, roomEvent } from '../support/relay-fixture.ts';

/** The radio refuses the first packet it is given, and takes all others; an id it has seen it ignores, as the firmware does. */
function refuseFirst({ radio }: EngineFixture, onRefused: () => void = () => undefined): OutgoingPacket[] {
  const aired: OutgoingPacket[] = [];
  const seen = new Set<number>();
  radio.answer = (given) => {
    if (seen.has(given.id)) return;
    seen.add(given.id);
    if (seen.size === 1) {
      onRefused();
      radio.sink?.onQueueStatus({ res: 32, free: 0, maxlen: 16, packetId: given.id });
      return;
    }
    aired.push(given);
    radio.accept(given);
  };
  return aired;
}

const replyTo = (eventId: string) => ({
  eventId: '$reply',
  content: { msgtype: 'm.text', body: 'answer', 'm.relates_to': { 'm.in_reply_to': { event_id: eventId } } },
});

describe('a refused packet', () => {
  it('is what a later reply points to, under the id it went out with', async () => {
    const f = await startEngine();
    const aired = refuseFirst(f);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(10_000);
    f.matrix.sync([roomEvent(replyTo('$a'))]);
    await f.clock.advance(10_000);

    expect(aired.map(({ replyId }) => replyId)).toEqual([0, aired[0]?.id]);
  });

  it('is what replies and reactions that wait behind it point to', async () => {
    const f = await startEngine();
    const aired = refuseFirst(f);
    const relates = { rel_type: 'm.annotation', event_id: '$a', key: '👍' };
    f.matrix.sync([
      roomEvent({ eventId: '$a', body: 'one' }),
      roomEvent(replyTo('$a')),
      roomEvent({ eventId: '$r', type: 'm.reaction', content: { 'm.relates_to': relates } }),
    ]);
    await f.clock.advance(20_000);

    expect(aired.map(({ replyId }) => replyId)).toEqual([0, aired[0]?.id, aired[0]?.id]);
  });

  it('in several parts is still answered at its first part', async () => {
    const f = await startEngine();
    const aired = refuseFirst(f);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'word '.repeat(80) })]);
    await f.clock.advance(20_000);
    f.matrix.sync([roomEvent(replyTo('$a'))]);
    await f.clock.advance(10_000);

    expect(aired.length).toBeGreaterThan(2);
    expect(aired.at(-1)?.replyId).toBe(aired[0]?.id);
  });

  it('is known to a mesh that answers it', async () => {
    const f = await startEngine();
    const aired = refuseFirst(f);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(10_000);
    f.radio.sink?.onPacket(packet({ text: 'yes', replyId: aired[0]?.id ?? 0 }));
    await f.clock.advance(1_000);

    expect(f.matrix.sent[0]?.content['m.relates_to']).toMatchObject({ 'm.in_reply_to': { event_id: '$a' } });
    expect(f.store.links.byEvent('$a')).toMatchObject([{ packetId: aired[0]?.id, text: 'one' }]);
  });

  it('is not taken for sent when the refusal could not be written down', async () => {
    const f = await startEngine();
    const { transaction } = f.store;
    let isFull = false;
    Object.assign(f.store, {
      transaction: <T>(work: () => T): T => {
        if (isFull) throw new RelayError('STORE_FULL', 'no space', { retry: { kind: 'later' } });
        return transaction(work);
      },
    });
    const aired = refuseFirst(f, () => {
      isFull = true;
    });
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(20_000);
    expect(aired).toEqual([]);
    isFull = false;
    await f.clock.advance(60_000);

    expect(aired).toHaveLength(1);
  });

  it('is known as refused when its answer comes only over the next link', async () => {
    const f = await startEngine();
    f.radio.answer = () => f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(1_000);
    const [first] = f.radio.sent;
    f.radio.answer = (given) => {
      if (given.id !== first?.id) f.radio.accept(given);
    };
    f.radio.sink?.onRouting({ packetId: first?.id ?? 0, error: 'RATE_LIMIT_EXCEEDED', from: 1 });
    f.radio.setReady(true);
    await f.clock.advance(60_000);

    expect(f.radio.sent.map(({ id }) => id === first?.id)).toEqual([true, false]);
  });

  it.each([
    100, 1_000,
  ])('is not offered again before its answer, %s ms after the next link came up', async (afterMs) => {
    const f = await startEngine();
    f.radio.answer = () => f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(1_000);
    const [first] = f.radio.sent;
    f.radio.answer = (given) => f.radio.accept(given);
    f.radio.setReady(true);
    await f.clock.advance(afterMs);
    f.radio.sink?.onRouting({ packetId: first?.id ?? 0, error: 'NO_INTERFACE', from: 1 });
    await f.clock.advance(60_000);

    expect(f.radio.sent.map(({ id }) => id === first?.id)).toEqual([true, false]);
  });

  it('that went on air over a link that broke is not sent again', async () => {
    const f = await startEngine();
    f.radio.answer = () => f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(1_000);
    f.radio.sink?.onRouting({ packetId: f.radio.sent[0]?.id ?? 0, error: 'MAX_RETRANSMIT', from: 1 });
    f.radio.setReady(true);
    await f.clock.advance(60_000);

    expect(f.radio.sent).toHaveLength(1);
  });
});
