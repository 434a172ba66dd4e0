import { mkdtemp, readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import map from '../../../plugins/map/index.ts';
import { TileCache } from '../../../plugins/map/tile-cache.ts';
import { tileUrl } from '../../../plugins/map/tiles.ts';
import { rasterise } from '../../../plugins/shared/raster.ts';
import type { Plugin } from '../../../src/plugins/api.ts';
import type { HostCall } from '../../../src/plugins/protocol.ts';
import { limitedFetch } from '../../../src/plugins/runtime/fetch.ts';
import { PluginRuntime } from '../../../src/plugins/runtime/runtime.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { closeHttp, listen } from '../../support/listen.ts';
import { colorAt, expectPicture, readPng } from '../png.ts';

const seen: string[] = [];
let status = 200;
let tile: Uint8Array;
let port: number;
const server = createServer((request, response) => {
  seen.push(`${request.headers['user-agent']} ${request.url}`);
  response.writeHead(status).end(tile);
});

beforeAll(async () => {
  tile = await rasterise(
    '<svg xmlns="http://www.w3.org/2000/svg" width="256" height="256"><rect width="256" height="256" fill="#8fce8f"/><rect width="255" height="255" fill="none" stroke="#060"/></svg>',
  );
  port = await listen(server);
});
afterAll(() => closeHttp(server));
beforeEach(() => {
  seen.length = 0;
  status = 200;
});

/** The plugin over real HTTP, with a folder of its own. @returns a function that asks for a map, and the log */
async function mapOverHttp(config: object = {}) {
  const folder = await mkdtemp(join(tmpdir(), 'map-'));
  const clock = new ManualClock(Date.UTC(2026, 10, 21, 12));
  const log: string[] = [];
  const images: Uint8Array[] = [];
  const answers: Partial<Record<HostCall['op'], unknown>> = {
    'nodes.list': [{ num: 1, id: '!00000001', shortName: 'ALFA', lastHeardS: clock.now() / 1000, own: false }],
    'positions.all': new Map([[1, { latitude: 52.52, longitude: 13.4, altitudeM: null, timeS: 0, precisionBits: 13 }]]),
    'nodes.own': 9,
    'files.folder': folder,
  };
  const runtime = new PluginRuntime({
    plugin: map as unknown as Plugin,
    clock,
    setup: {
      settings: { tile_url: `http://127.0.0.1:${port}/{z}/{x}/{y}.png`, tile_attribution: '© Test tiles', ...config },
      locale: 'en',
      units: 'metric',
      timeZone: 'UTC',
      userAgent: 'mmrelay/test',
    },
    fetch: limitedFetch,
    host: async (call) => {
      if (call.op === 'log') log.push(call.message);
      if (call.op === 'reply' && call.reply.image !== undefined) images.push(call.reply.image.data);
      return answers[call.op];
    },
  });
  const message = { room: '!r:x' } as never;
  const call = {
    name: 'map',
    typed: 'map',
    argText: 'size=300,300',
    admin: false,
    from: { kind: 'room', message },
  } as const;
  const ask = async (): Promise<Uint8Array> => {
    await runtime.run(1, { kind: 'command', call });
    return images.at(-1)!;
  };
  return { ask, log, clock, folder };
}

describe('tiles', () => {
  it('are drawn with their credit, asked for by name, and kept for a week', async () => {
    const { ask, clock, folder } = await mapOverHttp({ tile_user_agent: 'my-mesh (me@example.org)' });
    const first = await ask();
    expectPicture(first, 'map-tiles');
    const count = seen.length;
    expect(count).toBeGreaterThan(0);
    expect(seen.every((line) => /^my-mesh \(me@example\.org\) \/\d+\/\d+\/\d+\.png$/.test(line))).toBe(true);
    await ask();
    expect(seen).toHaveLength(count);
    expect(await readdir(join(folder, (await readdir(folder))[0]!))).toHaveLength(count);
    await clock.advance(8 * 86_400_000);
    await ask();
    expect(seen).toHaveLength(2 * count);
  });

  it('that are stale are better than none', async () => {
    const { ask, clock } = await mapOverHttp();
    await ask();
    await clock.advance(8 * 86_400_000);
    status = 503;
    expect(colorAt(readPng(await ask()), 20, 20)).toEqual([0x8f, 0xce, 0x8f]);
  });

  it.each([
    ['a server that fails', () => (status = 500), {}],
    ['a server that sends something else', () => undefined, { tile_url: 'http://127.0.0.1:9/{z}/{x}/{y}' }],
  ])('of %s leave the built-in map, after a few tries', async (_name, prepare, config) => {
    prepare();
    const { ask, log } = await mapOverHttp(config);
    expectPicture(await ask(), 'map-no-tiles');
    expect(seen.length).toBeLessThanOrEqual(4);
    expect(log).toEqual(['Map tiles could not be fetched']);
  });

  it('have addresses with the server among a, b, c', () => {
    const place = { zoom: 3, column: 4, row: 2 };
    expect(tileUrl('https://{s}.tile.example/{z}/{x}/{y}@2x.png', place)).toBe('https://a.tile.example/3/4/2@2x.png');
  });
});

describe('the cache', () => {
  it('drops the longest unused tiles when it is full', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tiles-'));
    let now = Date.now();
    const cache = new TileCache({ folder, source: 'x', maxBytes: 25, now: () => now });
    for (const key of ['a', 'b', 'c']) {
      await cache.put(key, new Uint8Array(10));
      now += 60_000;
    }
    await cache.get('a');
    await cache.trim();
    const left = await Promise.all(['a', 'b', 'c'].map((key) => cache.get(key)));
    expect(left.map((one) => one !== null)).toEqual([true, false, true]);
    expect(await new TileCache({ folder, source: 'y', maxBytes: 25, now: () => now }).get('a')).toBeNull();
  });
});
