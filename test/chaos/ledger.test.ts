import { describe, expect, it } from 'vitest';
import { devicePacket } from '../../src/radio/codec/device-packet.ts';
import { judge, Ledger } from './support/ledger.ts';

// The judges of the storm are judged: a count that cannot fail proves nothing.
describe('judge', () => {
  it('names what is lost, doubled and out of order', () => {
    expect(judge(['a', 'b', 'c', 'd'], ['a', 'c', 'b', 'b'])).toEqual({
      lost: ['d'],
      duplicated: ['b'],
      reordered: ['b'],
    });
    expect(judge(['a', 'b'], ['a', 'b'])).toEqual({ lost: [], duplicated: [], reordered: [] });
  });
});

describe('texts in flight', () => {
  function ledgerOf(bodies: readonly string[], connection = 1): Ledger {
    const ledger = new Ledger();
    bodies.forEach((body, index) => {
      ledger.spoken({ body, room: 0, packetId: index + 1 });
      ledger.handedOver(devicePacket({ from: 1, id: index + 1 }), connection);
    });
    return ledger;
  }

  it('are the last of a connection that was killed, and nothing before one that arrived', () => {
    const ledger = ledgerOf(['a', 'b', 'c', 'd']);
    ledger.ended(1);

    expect([...ledger.inFlight(new Set(['b']))]).toEqual(['d', 'c']);
    expect([...ledger.inFlight(new Set(['d']))]).toEqual([]);
  });

  it('are none on a connection that nobody killed', () => {
    expect([...ledgerOf(['a']).inFlight(new Set())]).toEqual([]);
  });
});
