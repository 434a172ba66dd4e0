import { describe, expect, it } from 'vitest';
import { createTrace } from '../../../plugins/trace/index.ts';
import { routeLines } from '../../../plugins/trace/route.ts';
import type { Decoded } from '../../../src/plugins/api.ts';
import { TEST_OWN_NODE, testPlugin } from '../../../src/plugins/testing.ts';

const nodes = [
  { num: TEST_OWN_NODE, shortName: 'HOME' },
  { num: 2, shortName: 'BRVO' },
  { num: 3, shortName: 'CHAR' },
];
const answer: Decoded = {
  kind: 'traceroute',
  route: [3],
  snrTowards: [6, -3.5],
  routeBack: [3],
  snrBack: [1.25, null],
};

/** A plugin of its own for each test: it remembers the last trace. */
const fresh = () => testPlugin(createTrace(), { nodes, nowMs: 1_700_000_000_000 });

const untilSent = async (tester: ReturnType<typeof fresh>): Promise<void> => {
  while (tester.sent.packets.length === 0) await new Promise((resolve) => setImmediate(resolve));
};

describe('trace', () => {
  it('asks the node and tells the way, there and back', async () => {
    const tester = fresh();
    const asked = tester.mesh('!trace brvo');
    await untilSent(tester);
    expect(tester.sent.packets).toMatchObject([{ to: 2, portnum: 70, wantResponse: true, radio: 'default' }]);
    await tester.packet({ from: 3, direct: true, decoded: answer });
    await tester.packet({ from: 2, direct: true, decoded: answer });
    expect((await asked).replies[0]).toEqual({
      text: 'HOME → CHAR (6.0 dB) → BRVO (-3.5 dB)\nBack: BRVO → CHAR (1.25 dB) → HOME',
      short: 'HOME → CHAR (6.0 dB) → BRVO (-3.5 dB) | Back: BRVO → CHAR (1.25 dB) → HOME',
    });
  });

  it('gives up after a minute, takes one at a time, and pauses between two', async () => {
    const tester = fresh();
    const first = tester.room('!trace brvo');
    await untilSent(tester);
    expect((await tester.room('!trace char')).replies[0]?.text).toBe(
      'Another trace is under way: try again in a minute.',
    );
    await tester.clock.advance(60_000);
    expect((await first).replies[0]?.text).toBe('BRVO did not answer within a minute.');
    const second = tester.room('!trace char');
    while (tester.sent.packets.length < 2) await new Promise((resolve) => setImmediate(resolve));
    await tester.packet({ from: 3, direct: true, decoded: { ...answer, route: [], snrTowards: [5] } });
    await second;
    expect((await tester.room('!trace char')).replies[0]?.text).toBe('The radio needs a pause: try again in 30 s.');
  });

  it.each([['!trace nobody'], ['!trace home'], ['!trace']])('sends nothing for %s', async (text) => {
    const tester = fresh();
    expect((await tester.room(text)).reactions).toEqual(['❌']);
    expect(tester.sent.packets).toEqual([]);
  });

  it('shows nodes that stay unknown', () => {
    const route = { kind: 'traceroute', route: [0xffffffff], snrTowards: [], routeBack: [], snrBack: [] } as const;
    expect(routeLines(route, { relay: 1, target: 2, nameOf: (num) => `n${num}` })).toEqual(['n1 → ? → n2']);
  });
});
