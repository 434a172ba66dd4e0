import { describe, expect, it } from 'vitest';
import { RelayError } from '../../src/util/relay-error.ts';
import { type EngineFixture, startEngine } from '../support/engine-fixture.ts';
import { roomEvent, settings } from '../support/relay-fixture.ts';

const shown = settings({ deliveryStatus: 'reactions', userRate: { perMinute: 1e6, burst: 1e6 } });

function start(): Promise<EngineFixture> {
  return startEngine({ settings: shown, prepare: ({ radio }) => radio.setReady(false) });
}

/** Reactions as `key on event`, redactions as `without event`. */
function marks({ matrix }: EngineFixture): string[] {
  return matrix.sent.map(({ type, content }) => {
    const relation = content['m.relates_to'] as { key: string; event_id: string } | undefined;
    return type === 'm.room.redaction' ? `without ${content.redacts}` : `${relation?.key} on ${relation?.event_id}`;
  });
}

describe('a message that waits for the air', () => {
  it('is marked after a while, and the mark gives way to what became of it', async () => {
    const f = await start();
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(25_000);
    expect(marks(f)).toEqual([]);
    await f.clock.advance(25_000);
    expect(marks(f)).toEqual(['⏳ on $a']);
    f.radio.setReady(true);
    await f.clock.advance(200_000);

    expect(marks(f)).toEqual(['⏳ on $a', 'without $sent1', '📤 on $a']);
  });

  it('of a long queue, only the first are', async () => {
    const f = await start();
    f.matrix.sync(Array.from({ length: 10 }, (_, n) => roomEvent({ eventId: `$${n}`, body: `${n}` })));
    await f.clock.advance(300_000);

    expect(marks(f)).toEqual(['⏳ on $0', '⏳ on $1', '⏳ on $2']);
  });

  it('whose mark has not reached the room in time never gets it', async () => {
    const f = await start();
    const refuse = f.matrix.refuse;
    f.matrix.refuse = () => new RelayError('MATRIX_UNREACHABLE', 'away', { retry: { kind: 'later' } });
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(60_000);
    f.radio.setReady(true);
    await f.clock.advance(200_000);
    f.matrix.refuse = refuse;
    await f.clock.advance(120_000);

    expect(marks(f)).toEqual(['📤 on $a']);
  });

  it('is not marked where only failures are to be seen', async () => {
    const f = await startEngine({ prepare: ({ radio }) => radio.setReady(false) });
    f.matrix.sync([roomEvent({ eventId: '$a', body: 'one' })]);
    await f.clock.advance(300_000);

    expect(marks(f)).toEqual([]);
  });
});
