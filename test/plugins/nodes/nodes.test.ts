import { describe, expect, it } from 'vitest';
import nodes from '../../../plugins/nodes/index.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';

const NOW_S = Date.UTC(2025, 0, 20, 12) / 1000;
const MINUTE = 60;
const DAY = 86_400;

const ask = async (node: object, metrics?: object): Promise<string> => {
  const tester = testPlugin(nodes, {
    nowMs: NOW_S * 1000,
    nodes: [{ num: 7, ...node }],
    ...(metrics === undefined
      ? {}
      : {
          telemetry: {
            7: {
              batteryLevel: null,
              voltage: null,
              channelUtilization: null,
              airUtilTx: null,
              uptimeS: null,
              ...metrics,
            },
          },
        }),
  });
  return (await tester.room('!nodes')).replies[0]?.text ?? '';
};

describe('nodes', () => {
  it('writes a line as mmrelay 1.x', async () => {
    const node = {
      shortName: 'ALFA',
      longName: 'Alpha',
      hwModel: 'TBEAM',
      snr: 6,
      hopsAway: 0,
      lastHeardS: NOW_S - 5 * MINUTE,
    };
    expect(await ask(node, { batteryLevel: 85, voltage: Math.fround(4.012) })).toBe(
      'Nodes: 1\nALFA Alpha / TBEAM / 85% 4.012V / 6.0 dB / direct / 5 minutes ago\n',
    );
  });

  it('writes what it does not know', async () => {
    expect(await ask({})).toBe('Nodes: 1\nUnknown Unknown / Unknown / ?% ?V / ? hops away / ?\n');
  });

  it.each([
    [0, 'Just now'],
    [-30, 'Just now'],
    [59, 'Just now'],
    [60, '1 minute ago'],
    [119 * MINUTE, '1 hour ago'],
    [120 * MINUTE, '2 hours ago'],
    [DAY, '1 day ago'],
    [7 * DAY, '7 days ago'],
    [15 * DAY, 'Jan 05, 2025'],
  ])('heard %i s ago: %s', async (ageS, expected) => {
    expect((await ask({ lastHeardS: NOW_S - ageS })).trimEnd().split(' / ').at(-1)).toBe(expected);
  });

  it.each([
    [0, 'direct'],
    [1, '1 hop away'],
    [3, '3 hops away'],
    [null, '? hops away'],
  ])('%s hops: %s', async (hopsAway, expected) => {
    expect(await ask({ hopsAway })).toContain(` / ${expected} / `);
  });

  it('fits one packet on the mesh, with the command for more', async () => {
    const many = Array.from({ length: 60 }, (_, index) => ({
      num: index + 1,
      shortName: `N${index}`,
      hopsAway: 2,
      lastHeardS: NOW_S - index * MINUTE,
    }));
    const tester = testPlugin(nodes, { nowMs: NOW_S * 1000, nodes: many });
    const pages: string[] = [];
    for (let page = 1; page < 20; page += 1) {
      const short = (await tester.mesh(`!nodes ${page}`)).replies[0]?.short ?? '';
      pages.push(short);
      expect(Buffer.byteLength(short)).toBeLessThanOrEqual(200);
      if (!short.includes('More:')) break;
      expect(short).toContain(`More: !nodes ${page + 1}`);
    }
    expect(pages[0]).toContain('N0 2hop now');
    expect(pages.join('\n').match(/N\d+ 2hop/g)).toHaveLength(60);
  });

  it('cuts a list that no event could carry into pages', async () => {
    const many = Array.from({ length: 400 }, (_, index) => ({
      num: index + 1,
      shortName: `N${index}`,
      longName: 'A long name of a node',
    }));
    const text = (await testPlugin(nodes, { nodes: many }).room('!nodes')).replies[0]?.text ?? '';
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(20_000);
    expect(text).toMatch(/^Nodes: 400\n[\s\S]*\nMore: !nodes 2$/);
  });
});
