/** Street map tiles as a background. */

import { element } from '../shared/svg.ts';
import type { TileCache } from './tile-cache.ts';
import { TILE_PX, type View, worldPixels } from './view.ts';

export interface TileSource {
  /** With `{z}`, `{x}`, `{y}`, and `{s}` for one of the servers a, b, c. */
  readonly url: string;
  readonly cache: TileCache;
  /** @throws Error when the server cannot be reached */
  fetch(url: string): Promise<{ readonly status: number; readonly body: Uint8Array }>;
  onTrouble(reason: string): void;
}

interface Tile {
  readonly column: number;
  readonly row: number;
  readonly left: number;
  readonly top: number;
}

/** The rules of the OpenStreetMap servers allow two connections. */
const CONNECTIONS = 2;
/** Of the tiles; with fewer the built-in map is the better background. */
const ENOUGH = 0.5;

/** SVG of the tiles, or null when most of them cannot be had. `view.zoom` is a whole number. */
export async function drawTiles(view: View, source: TileSource): Promise<string | null> {
  const wanted = tilesOf(view);
  const waiting = [...wanted];
  const drawn: string[] = [];
  const trouble: string[] = [];
  const work = async (): Promise<void> => {
    // After three failures the server is taken to be away; what the cache has is still used.
    for (let tile = waiting.shift(); tile !== undefined; tile = waiting.shift()) {
      const data = await loadTile(view.zoom, tile, { source, mayFetch: trouble.length < 3, trouble });
      if (data !== null) drawn.push(image(tile, data));
    }
  };
  await Promise.all(Array.from({ length: CONNECTIONS }, work));
  const reason = trouble[0];
  if (reason !== undefined) source.onTrouble(reason);
  await source.cache.trim();
  return drawn.length >= wanted.length * ENOUGH ? drawn.join('') : null;
}

async function loadTile(
  zoom: number,
  { column, row }: Tile,
  how: { readonly source: TileSource; readonly mayFetch: boolean; readonly trouble: string[] },
): Promise<Uint8Array | null> {
  const { source, mayFetch, trouble } = how;
  const key = `${zoom}-${column}-${row}`;
  const cached = await source.cache.get(key);
  if (cached?.fresh || !mayFetch) return cached?.data ?? null;
  try {
    const { status, body } = await source.fetch(tileUrl(source.url, { zoom, column, row }));
    if (status !== 200) throw new Error(`the tile server answered ${status}`);
    if (mimeTypeOf(body) === null) throw new Error('the tile server sent something that is no PNG or JPEG picture');
    await source.cache.put(key, body).catch((error: unknown) => source.onTrouble(messageOf(error)));
    return body;
  } catch (error) {
    trouble.push(messageOf(error));
    return cached?.data ?? null;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function tileUrl(
  template: string,
  tile: { readonly zoom: number; readonly column: number; readonly row: number },
): string {
  const server = 'abc'.charAt((tile.column + tile.row) % 3);
  return template
    .replaceAll('{z}', `${tile.zoom}`)
    .replaceAll('{x}', `${tile.column}`)
    .replaceAll('{y}', `${tile.row}`)
    .replaceAll('{s}', server);
}

/** All tiles the picture touches; columns go around the world, rows end at the poles. */
function tilesOf(view: View): Tile[] {
  const count = 2 ** view.zoom;
  const left = view.left * worldPixels(view);
  const top = view.top * worldPixels(view);
  const columns = range(left, view.width);
  const rows = range(top, view.height).filter((row) => row >= 0 && row < count);
  return rows.flatMap((row) =>
    columns.map((column) => ({
      column: ((column % count) + count) % count,
      row,
      left: column * TILE_PX - left,
      top: row * TILE_PX - top,
    })),
  );
}

function range(from: number, pixels: number): number[] {
  const first = Math.floor(from / TILE_PX);
  const last = Math.ceil((from + pixels) / TILE_PX);
  return Array.from({ length: last - first }, (_, index) => first + index);
}

function image(tile: Tile, data: Uint8Array): string {
  const href = `data:${mimeTypeOf(data) ?? 'image/png'};base64,${Buffer.from(data).toString('base64')}`;
  // Half a pixel more, so that no seam shows between tiles.
  return element('image', { x: tile.left, y: tile.top, width: TILE_PX + 0.5, height: TILE_PX + 0.5, href });
}

function mimeTypeOf(data: Uint8Array): string | null {
  if (data[0] === 0x89 && data[1] === 0x50 && data[2] === 0x4e && data[3] === 0x47) return 'image/png';
  return data[0] === 0xff && data[1] === 0xd8 ? 'image/jpeg' : null;
}
