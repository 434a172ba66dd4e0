/** The built-in map for places without a tile server: coasts and borders of Natural Earth (public domain), coarse. */

import { element, px } from '../shared/svg.ts';
import { loadWorld, type Outline } from './atlas.ts';
import { type Box, clipLine, clipRing, type Point } from './clip.ts';
import { drawGraticule } from './graticule.ts';
import { type View, worldPixels, worldX, worldY } from './view.ts';

export const BASEMAP_CREDIT = 'Coarse coasts and borders: Natural Earth';

const WATER = '#cfe0ea';
const LAND = '#f4f1e8';
const COAST = '#8fa9b8';
const BORDER = '#c9b9a6';
/** From this zoom on the finer of the two scales (1:50 million, 1:110 million). */
const FINE_ZOOM = 3;
/** Shapes are cut this far outside the picture, so that no cut edge shows. */
const OVERHANG_PX = 8;

/** The background of a picture, as SVG. */
export async function drawBasemap(view: View): Promise<string> {
  const world = await loadWorld(view.zoom >= FINE_ZOOM ? '50m' : '110m');
  const box: Box = {
    left: -OVERHANG_PX,
    top: -OVERHANG_PX,
    right: view.width + OVERHANG_PX,
    bottom: view.height + OVERHANG_PX,
  };
  const shapes = (outlines: readonly Outline[]): (readonly Point[])[] =>
    outlines.flatMap((outline) => copies(view, outline).map((shift) => toPicture(view, outline, shift)));
  const lines = (outlines: readonly Outline[]): string =>
    shapes(outlines)
      .flatMap((points) => clipLine(points, box))
      .map((piece) => path(piece, false))
      .join('');
  const land = shapes(world.rings).map((ring) => path(clipRing(ring, box), true));
  const stroke = (color: string, d: string): string =>
    element('path', { d, fill: 'none', stroke: color, 'stroke-width': 1, 'stroke-linejoin': 'round' });
  return [
    element('rect', { width: view.width, height: view.height, fill: WATER }),
    element('path', { d: land.join(''), fill: LAND, stroke: LAND, 'stroke-width': 0.6, 'fill-rule': 'evenodd' }),
    stroke(BORDER, lines(world.borders)),
    stroke(COAST, lines(world.coasts)),
    drawGraticule(view),
  ].join('');
}

/** Whole worlds to move the shape by, for every copy of it that reaches into the picture. */
function copies(view: View, { west, east, south, north }: Outline): number[] {
  const scale = worldPixels(view);
  const overhang = OVERHANG_PX / scale;
  const bottom = view.top + view.height / scale + overhang;
  if (worldY(south) < view.top - overhang || worldY(north) > bottom) return [];
  const right = view.left + view.width / scale + overhang;
  const first = Math.ceil(view.left - overhang - worldX(east));
  const last = Math.floor(right - worldX(west));
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

/** Pixels; points within half a pixel of the one before are left out. */
function toPicture(view: View, outline: Outline, shift: number): readonly Point[] {
  const scale = worldPixels(view);
  const points: Point[] = [];
  let skipped: Point | null = null;
  let last: Point | null = null;
  outline.each((longitude, latitude) => {
    const x = (worldX(longitude) + shift - view.left) * scale;
    const y = (worldY(latitude) - view.top) * scale;
    if (last !== null && Math.abs(x - last[0]) < 0.5 && Math.abs(y - last[1]) < 0.5) {
      skipped = [x, y];
      return;
    }
    skipped = null;
    last = [x, y];
    points.push(last);
  });
  // The end of a line stays where it meets the next one.
  if (skipped !== null) points.push(skipped);
  return points;
}

function path(points: readonly Point[], closed: boolean): string {
  if (points.length < 2) return '';
  return `M${points.map(([x, y]) => `${px(x)} ${px(y)}`).join('L')}${closed ? 'Z' : ''}`;
}
