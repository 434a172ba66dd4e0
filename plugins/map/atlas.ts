/**
 * The outlines of the world (world-atlas: Natural Earth as TopoJSON). Shapes are made of arcs which neighbours share.
 * Only what the picture shows is ever turned into points: a whole world of them would take 100 MB.
 */

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';

/** Calls with every point of an arc or ring, in degrees; longitudes go on beyond 180 instead of jumping. */
export type PointSink = (longitude: number, latitude: number) => void;

export interface Outline {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
  each(sink: PointSink): void;
}

export interface World {
  /** Closed shapes, holes among them. */
  readonly rings: readonly Outline[];
  readonly coasts: readonly Outline[];
  readonly borders: readonly Outline[];
}

interface Geometry {
  readonly type: string;
  /** Polygon: rings of arc numbers; MultiPolygon: lists of those. A negative number ~n is arc n backwards. */
  readonly arcs?: readonly unknown[];
  readonly geometries?: readonly Geometry[];
}

interface Atlas {
  readonly transform: { readonly scale: readonly [number, number]; readonly translate: readonly [number, number] };
  readonly arcs: readonly (readonly (readonly [number, number])[])[];
  readonly objects: { readonly countries: Geometry; readonly land: Geometry };
}

/** Read anew for each picture: a map is asked for now and then, and the outlines would take megabytes for good. */
export async function loadWorld(scale: '50m' | '110m'): Promise<World> {
  const file = createRequire(import.meta.url).resolve(`world-atlas/countries-${scale}.json`);
  const atlas: Atlas = JSON.parse(await readFile(file, 'utf8'));
  const uses = new Map<number, number>();
  for (const ring of ringsOf(atlas.objects.countries))
    for (const arc of ring) uses.set(arc < 0 ? ~arc : arc, (uses.get(arc < 0 ? ~arc : arc) ?? 0) + 1);
  const lines = (wanted: (count: number) => boolean): Outline[] =>
    [...uses].filter(([, count]) => wanted(count)).map(([arc]) => outlineOf(atlas, [arc], false));
  return {
    rings: ringsOf(atlas.objects.land).map((ring) => outlineOf(atlas, ring, true)),
    coasts: lines((count) => count === 1),
    borders: lines((count) => count > 1),
  };
}

function ringsOf({ arcs = [], geometries = [], type }: Geometry): readonly (readonly number[])[] {
  if (type === 'GeometryCollection') return geometries.flatMap(ringsOf);
  const polygons = type === 'MultiPolygon' ? arcs.flat() : type === 'Polygon' ? arcs : [];
  return polygons.filter((ring): ring is number[] => Array.isArray(ring));
}

function outlineOf(atlas: Atlas, arcs: readonly number[], closed: boolean): Outline {
  const bounds = { west: Infinity, east: -Infinity, south: Infinity, north: -Infinity };
  const each = (sink: PointSink): void => walk(atlas, { arcs, closed, sink });
  each((longitude, latitude) => {
    bounds.west = Math.min(bounds.west, longitude);
    bounds.east = Math.max(bounds.east, longitude);
    bounds.south = Math.min(bounds.south, latitude);
    bounds.north = Math.max(bounds.north, latitude);
  });
  return { ...bounds, each };
}

function walk(
  { transform, arcs: all }: Atlas,
  shape: { readonly arcs: readonly number[]; readonly closed: boolean; readonly sink: PointSink },
): void {
  const { sink, closed } = shape;
  const [scaleX, scaleY] = transform.scale;
  const [originX, originY] = transform.translate;
  let first: number | null = null;
  let last = 0;
  let turn = 0;
  const point = (x: number, y: number): void => {
    const longitude = x * scaleX + originX;
    if (first === null) first = longitude;
    else turn -= 360 * Math.round((longitude - last) / 360);
    last = longitude;
    sink(longitude + turn, y * scaleY + originY);
  };
  for (const number of shape.arcs) eachDelta(all[number < 0 ? ~number : number] ?? [], number < 0, point);
  // Antarctica goes once around the world: its ring is closed below the map.
  if (closed && first !== null && Math.abs(last + turn - first) > 180) {
    sink(last + turn, -90);
    sink(first, -90);
  }
}

/** Arcs are written as steps from point to point. */
function eachDelta(
  arc: readonly (readonly [number, number])[],
  backwards: boolean,
  point: (x: number, y: number) => void,
): void {
  let x = 0;
  let y = 0;
  if (!backwards) {
    for (const [dx, dy] of arc) {
      x += dx;
      y += dy;
      point(x, y);
    }
    return;
  }
  for (const [dx, dy] of arc) {
    x += dx;
    y += dy;
  }
  for (let index = arc.length - 1; index >= 0; index -= 1) {
    point(x, y);
    x -= arc[index]?.[0] ?? 0;
    y -= arc[index]?.[1] ?? 0;
  }
}
