/** The built-in map for places without a tile server: coasts and borders of Natural Earth (public domain), coarse. */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { feature, mesh } from 'topojson-client';
import type { GeometryCollection, GeometryObject, Topology } from 'topojson-specification';
import { element, px } from '../shared/svg.ts';
import { type Box, clipLine, clipRing, type Point, thin } from './clip.ts';
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

type Countries = GeometryCollection<{ readonly name: string }>;
type Atlas = Topology<{ countries: Countries; land: Countries }>;

interface World {
  readonly rings: readonly (readonly Point[])[];
  readonly coasts: readonly (readonly Point[])[];
  readonly borders: readonly (readonly Point[])[];
}

/** The background of a picture, as SVG. */
export async function drawBasemap(view: View): Promise<string> {
  const world = await loadWorld(view.zoom >= FINE_ZOOM ? '50m' : '110m');
  const toPicture = projector(view);
  const box: Box = {
    left: -OVERHANG_PX,
    top: -OVERHANG_PX,
    right: view.width + OVERHANG_PX,
    bottom: view.height + OVERHANG_PX,
  };
  const land: string[] = [];
  const coasts: string[] = [];
  const borders: string[] = [];
  for (const shift of copies(view)) {
    const place = (points: readonly Point[]): readonly Point[] => points.map((point) => toPicture(point, shift));
    for (const ring of world.rings) land.push(path(clipRing(thin(place(ring)), box), true));
    for (const coast of world.coasts) coasts.push(...lines(place(coast), box));
    for (const border of world.borders) borders.push(...lines(place(border), box));
  }
  const stroke = (color: string, d: readonly string[], width: number): string =>
    element('path', { d: d.join(''), fill: 'none', stroke: color, 'stroke-width': width, 'stroke-linejoin': 'round' });
  return [
    element('rect', { width: view.width, height: view.height, fill: WATER }),
    element('path', { d: land.join(''), fill: LAND, stroke: LAND, 'stroke-width': 0.6, 'fill-rule': 'evenodd' }),
    stroke(BORDER, borders, 1),
    stroke(COAST, coasts, 1),
    drawGraticule(view),
  ].join('');
}

function projector(view: View): (point: Point, shift: number) => Point {
  const scale = worldPixels(view);
  return ([longitude, latitude], shift) => [
    (worldX(longitude) + shift - view.left) * scale,
    (worldY(latitude) - view.top) * scale,
  ];
}

/** Whole worlds to move by, for every copy of a shape that may reach into the picture. */
function copies(view: View): number[] {
  const first = Math.floor(view.left) - 1;
  const last = Math.floor(view.left + view.width / worldPixels(view)) + 1;
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

function lines(points: readonly Point[], box: Box): string[] {
  return clipLine(thin(points), box).map((piece) => path(piece, false));
}

function path(points: readonly Point[], closed: boolean): string {
  if (points.length < 2) return '';
  return `M${points.map(([x, y]) => `${px(x)} ${px(y)}`).join('L')}${closed ? 'Z' : ''}`;
}

/** Read anew for each picture: a map is asked for now and then, and its outlines would take megabytes for good. */
async function loadWorld(scale: '50m' | '110m'): Promise<World> {
  const file = createRequire(import.meta.url).resolve(`world-atlas/countries-${scale}.json`);
  const atlas: Atlas = JSON.parse(await readFile(file, 'utf8'));
  const { countries, land } = atlas.objects;
  const shapes = feature(atlas, land);
  const rings = shapes.features.flatMap(({ geometry }) => {
    if (geometry.type === 'Polygon') return geometry.coordinates;
    return geometry.type === 'MultiPolygon' ? geometry.coordinates.flat() : [];
  });
  const lines = (filter: (a: GeometryObject, b: GeometryObject) => boolean): (readonly Point[])[] =>
    mesh(atlas, countries, filter).coordinates.map((line) => unwrap(line.map(toPoint)));
  return {
    rings: rings.map((ring) => closeAtPole(unwrap(ring.map(toPoint)))),
    coasts: lines((a, b) => a === b),
    borders: lines((a, b) => a !== b),
  };
}

function toPoint(position: readonly number[]): Point {
  return [position[0] ?? 0, position[1] ?? 0];
}

/** The atlas jumps from 180 to -180 at the date line; here a shape goes on beyond. */
function unwrap(points: readonly Point[]): readonly Point[] {
  const first = points[0]?.[0] ?? 0;
  const state = { last: first, turn: 0 };
  return points.map(([longitude, latitude]) => {
    state.turn -= 360 * Math.round((longitude - state.last) / 360);
    state.last = longitude;
    return [longitude + state.turn, latitude];
  });
}

/** Antarctica goes once around the world: its ring is closed below the map. */
function closeAtPole(ring: readonly Point[]): readonly Point[] {
  const first = ring[0];
  const last = ring.at(-1);
  if (first === undefined || last === undefined || Math.abs(last[0] - first[0]) < 180) return ring;
  return [...ring, [last[0], -90], [first[0], -90]];
}
