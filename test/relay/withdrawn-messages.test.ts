import { describe, expect, it } from 'vitest';
import { type EngineFixture, startEngine } from '../support/engine-fixture.ts';
import { roomEvent, settings } from '../support/relay-fixture.ts';

function remove({ matrix }: EngineFixture, eventId: string): void {
  matrix.sync([roomEvent({ eventId: `$remove${eventId}`, type: 'm.room.redaction', content: {}, redacts: eventId })]);
}

describe('a message that is removed', () => {
  it.each([
    'ignore',
    'notice',
  ] as const)('while it waits for the radio is not sent, nor spoken of (%s)', async (redactions) => {
    const f = await startEngine({ settings: settings({ redactions }) });
    f.radio.setReady(false);
    f.matrix.sync([
      roomEvent({ eventId: '$a', body: 'secret '.repeat(60) }),
      roomEvent({ eventId: '$b', body: 'harmless' }),
    ]);
    await f.clock.advance(1_000);
    remove(f, '$a');
    await f.clock.advance(1_000);
    f.radio.setReady(true);
    await f.clock.advance(30_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: harmless']);
    expect(f.matrix.sent).toEqual([]);
  });

  it('takes its mark of waiting with it', async () => {
    const f = await startEngine({ settings: settings({ deliveryStatus: 'reactions' }) });
    f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(60_000);
    expect(f.matrix.sent.map(({ type }) => type)).toEqual(['m.reaction']);
    remove(f, '$a');
    await f.clock.advance(10_000);

    expect(f.matrix.sent.map(({ type }) => type)).toEqual(['m.reaction', 'm.room.redaction']);
  });

  it('after a part of it has left goes on to its end', async () => {
    const f = await startEngine();
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'word '.repeat(80) })]);
    await f.clock.advance(100);
    expect(f.radio.sent).toHaveLength(1);
    remove(f, '$a');
    await f.clock.advance(30_000);

    expect(f.radio.sent.length).toBeGreaterThan(1);
  });

  it('while the radio is being given it counts as sent', async () => {
    const f = await startEngine();
    f.radio.answer = () => undefined;
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(1_000);
    remove(f, '$a');
    await f.clock.advance(1_000);
    for (const sent of f.radio.sent) f.radio.accept(sent);
    await f.clock.advance(60_000);

    expect(f.radio.sent).toHaveLength(1);
    expect(f.store.outbox.sent('radio:default')).toHaveLength(1);
  });

  it('from another room, by an event that names it, is not touched', async () => {
    const f = await startEngine();
    f.radio.setReady(false);
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(1_000);
    const redaction = { type: 'm.room.redaction', content: {}, redacts: '$a', roomId: '!other:ex.org' };
    f.matrix.sync([roomEvent({ eventId: '$evil', ...redaction })]);
    await f.clock.advance(1_000);
    f.radio.setReady(true);
    await f.clock.advance(5_000);

    expect(f.radio.texts()).toEqual(['Alice[M]: one']);
  });
});
