import { describe, expect, it } from 'vitest';
import map from '../../../plugins/map/index.ts';
import type { Position } from '../../../src/plugins/api.ts';
import { TEST_ALICE_NODE, type TestWorld, testPlugin } from '../../../src/plugins/testing.ts';
import { expectPicture } from '../png.ts';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const at = (latitude: number, longitude: number, precisionBits = 32): Position => ({
  latitude,
  longitude,
  altitudeM: null,
  timeS: 0,
  precisionBits,
});

type Row = readonly [name: string, latitude: number, longitude: number, bits?: number, ageH?: number];

/** Offline: no tile server. */
function world(rows: readonly Row[], config: object = {}): TestWorld {
  const nodes = rows.map(([shortName, , , , ageH = 1], index) => ({
    num: 0x1000 + index,
    shortName,
    lastHeardS: NOW_MS / 1000 - ageH * 3600,
  }));
  const positions = Object.fromEntries(rows.map(([, lat, lon, bits], index) => [0x1000 + index, at(lat, lon, bits)]));
  return { nowMs: NOW_MS, nodes, positions, timeZone: 'Europe/Berlin', config: { tile_url: '', ...config } };
}

const drawn = async (rows: readonly Row[], command = '!map size=400,400') =>
  (await testPlugin(map, world(rows)).room(command)).replies[0]!;

describe('pictures of the built-in map', () => {
  it('one node', async () => {
    const reply = await drawn([['BER', 52.52, 13.405]]);
    expect(reply.text).toBe('Map of 1 node: BER.');
    expect(reply.image).toMatchObject({ fileName: 'location.png', mimeType: 'image/png', width: 400, height: 400 });
    expectPicture(reply.image!.data, 'map-one');
  });

  it('a few, with circles, an emoji name, one not heard for long', async () => {
    const rows: Row[] = [
      ['ALFA', 54.6, 11.1, 11],
      ['🦘', 54.1, 12.1, 12],
      ['CHAR', 55.4, 12.2, 32, 50],
      ['<&">', 54.9, 12.9],
    ];
    const { image, text } = await drawn(rows);
    expect(text).toBe('Map of 4 nodes: ALFA, 🦘, <&">, CHAR.');
    expectPicture(image!.data, 'map-few');
  });

  it('on both sides of the date line', async () => {
    const rows: Row[] = [
      ['FIJI', -17.8, 177.9],
      ['APIA', -13.8, -171.8],
      ['WELL', -41.2, 174.7],
    ];
    expectPicture((await drawn(rows)).image!.data, 'map-date-line');
  });

  it('the whole world', async () => {
    const rows: Row[] = [
      ['HEL', 60, 25],
      ['SYD', -33, 151],
      ['NYC', 40, -74],
      ['LYR', 78, 15],
      ['USH', -54.8, -68.3],
    ];
    expectPicture((await drawn(rows)).image!.data, 'map-world');
  });

  it('200 nodes: names do not cover each other, and the rest is counted', async () => {
    const rows = Array.from({ length: 200 }, (_, index): Row => {
      const [u, v] = [(index * 0.618034) % 1, (index * 0.754878) % 1];
      return [`N${index}`, 50 + 3 * u * u, 8 + 5 * v * v, index % 3 === 0 ? 13 : 32, index % 40];
    });
    const { image, text } = await drawn(rows, '!map size=700,700');
    expect(text).toMatch(/^Map of 200 nodes: N0, .* and 180 more\.$/);
    expectPicture(image!.data, 'map-200');
  });

  it('takes a zoom, and tells who is outside', async () => {
    const rows: Row[] = [
      ['ALFA', 52, 13],
      ['BRVO', 48, 2],
    ];
    expect((await drawn(rows, '!map zoom=10 size=200,150')).text).toBe(
      'Map of 2 nodes: ALFA, BRVO. 2 outside the picture.',
    );
  });
});

describe('answers without a picture', () => {
  it.each([
    ['!map berlin', 'Usage: !map [zoom=0-19] [size=WIDTH,HEIGHT]'],
    ['!map', 'Cannot generate map: No nodes with location data found.'],
  ])('%s: %s', async (command, text) => {
    const rows: Row[] = command === '!map' ? [['NULL', 0, 0]] : [['ALFA', 1, 1]];
    const { replies, reactions } = await testPlugin(map, world(rows)).room(command);
    expect([replies[0]?.text, reactions]).toEqual([text, ['❌']]);
  });

  it('on the mesh: who is where, seen from the one who asks', async () => {
    const asker = { num: TEST_ALICE_NODE, shortName: 'ALIC' };
    const near = world([['ALFA', 52.53, 13.41]]);
    const tester = testPlugin(map, {
      ...near,
      nodes: [...(near.nodes ?? []), asker],
      positions: { ...near.positions, [TEST_ALICE_NODE]: at(52.52, 13.4) },
    });
    expect((await tester.mesh('!map')).replies).toEqual([{ text: 'From you: ALFA 1.3 km NE' }]);
    expect((await testPlugin(map, near).mesh('!map')).replies).toEqual([
      { text: 'Your position is not known to the relay.' },
    ]);
  });
});
