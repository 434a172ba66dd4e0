/** From nodes to a finished picture. */

import type { Image, Reply } from '../../src/plugins/api.ts';
import { loadFont, rasterise } from '../shared/raster.ts';
import { BASEMAP_CREDIT, drawBasemap } from './basemap.ts';
import { describeMap, drawMap } from './draw.ts';
import type { MapNode } from './map-node.ts';
import type { MapOptions } from './options.ts';
import { TileCache } from './tile-cache.ts';
import { drawTiles, type TileSource } from './tiles.ts';
import { fitView, pixelOf, type View } from './view.ts';

export interface PictureOptions extends MapOptions {
  readonly maxZoom: number;
  readonly margin: number;
  readonly now: Date;
  readonly timeZone: string;
  /** null: only the built-in map. */
  readonly tiles:
    | (Omit<TileSource, 'cache'> & {
        readonly credit: string;
        readonly maxBytes: number;
        folder(): Promise<string>;
        nowMs(): number;
      })
    | null;
}

/** At least one node. @throws Error when drawing fails */
export async function mapPicture(nodes: readonly MapNode[], options: PictureOptions): Promise<Reply> {
  const { width, height, tiles, zoom, maxZoom, margin } = options;
  const whole = tiles !== null;
  const view = fitView(nodes, { width, height, margin, maxZoom, whole, exactZoom: zoom });
  const { svg: background, credit } = await drawBackground(view, tiles);
  const when = new Intl.DateTimeFormat('en-GB', {
    dateStyle: 'medium',
    timeStyle: 'short',
    timeZone: options.timeZone,
  });
  const svg = drawMap({
    view,
    nodes,
    background,
    credit,
    title: `${nodes.length} node${nodes.length === 1 ? '' : 's'} · ${when.format(options.now)}`,
    font: await loadFont(),
  });
  const data = await rasterise(svg);
  const image: Image = { data, mimeType: 'image/png', fileName: 'location.png', width, height };
  const outside = nodes.filter((node) => {
    const { x, y } = pixelOf(view, node);
    return x < 0 || y < 0 || x > width || y > height;
  });
  return { text: describeMap(nodes, outside.length), image };
}

async function drawBackground(
  view: View,
  tiles: PictureOptions['tiles'],
): Promise<{ readonly svg: string; readonly credit: string }> {
  const basemap = { svg: await drawBasemap(view), credit: BASEMAP_CREDIT };
  if (tiles === null) return basemap;
  const folder = await tiles.folder();
  const cache = new TileCache({ folder, source: tiles.url, maxBytes: tiles.maxBytes, now: () => tiles.nowMs() });
  const drawn = await drawTiles(view, { ...tiles, cache });
  return drawn === null ? basemap : { svg: basemap.svg + drawn, credit: tiles.credit };
}
