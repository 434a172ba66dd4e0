import { expect, it } from 'vitest';
import who from '../../../plugins/who/index.ts';
import { TEST_OWN_NODE, testPlugin } from '../../../src/plugins/testing.ts';

const NOW_S = 1_700_000_000;
const nodes = [
  { num: TEST_OWN_NODE, shortName: 'HOME', lastHeardS: NOW_S },
  { num: 2, shortName: 'BRVO', hopsAway: 2, lastHeardS: NOW_S - 120 },
  { num: 3, shortName: 'ALFA', hopsAway: 0, lastHeardS: NOW_S - 10 },
  { num: 4, shortName: 'CHAR', hopsAway: 1, lastHeardS: NOW_S - 7200 },
  { num: 5, shortName: 'DELT', hopsAway: 0, lastHeardS: NOW_S - 3000 },
  { num: 6, shortName: 'NETT', hopsAway: 0, viaMqtt: true, lastHeardS: NOW_S - 60 },
  { num: 7, lastHeardS: NOW_S - 600 },
  { num: 8, shortName: 'GONE', hopsAway: 0, lastHeardS: NOW_S - 2 * 86_400 },
  { num: 9, shortName: 'NEVR', lastHeardS: 0 },
];
const tester = testPlugin(who, { nowMs: NOW_S * 1000, nodes });

it('groups the nodes of a day by hops, the latest first', async () => {
  expect((await tester.room('!who')).replies[0]?.text).toBe(
    'Heard in the last 24 h: 6 of 8\n' +
      'direct (2): ALFA now, DELT 50m\n' +
      '1 hop (1): CHAR 2h\n' +
      '2 hops (1): BRVO 2m\n' +
      'MQTT (1): NETT 1m\n' +
      'unknown (1): !00000007 10m',
  );
});

it('takes a time, and is one packet on the mesh', async () => {
  expect((await tester.mesh('!who 30m')).replies[0]?.short).toBe(
    'Heard in the last 30 min: 4 of 8\nALFA now direct\nNETT 1m mqtt\nBRVO 2m 2hop\n!00000007 10m ?',
  );
  expect((await tester.room('!who 7d')).replies[0]?.text).toContain('Heard in the last 7 d: 7 of 8');
});

it('has pages that remember the time', async () => {
  const many = Array.from({ length: 40 }, (_, index) => ({
    num: index + 1,
    shortName: `N${index}`,
    hopsAway: 3,
    lastHeardS: NOW_S,
  }));
  const short =
    (await testPlugin(who, { nowMs: NOW_S * 1000, nodes: many }).mesh('!who 2 48h')).replies[0]?.short ?? '';
  expect(short).toMatch(/\nMore: !who 48h 3$/);
  expect(Buffer.byteLength(short)).toBeLessThanOrEqual(200);
});

it('tells how it is used', async () => {
  const { replies, reactions } = await tester.room('!who is it');
  expect([replies[0]?.text, reactions]).toEqual(['Usage: !who [15m|24h|7d] [page]', ['❌']]);
});
