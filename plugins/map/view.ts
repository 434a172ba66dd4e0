/** Which part of the world a picture shows. Web Mercator, as all tile servers; the world is 1 wide and 1 high. */

import type { Place } from '../shared/geo.ts';

export interface View {
  /** Tile zoom; the world is 256 * 2^zoom pixels wide. May have a fraction. */
  readonly zoom: number;
  readonly width: number;
  readonly height: number;
  /** World coordinates of the top left corner. x may lie outside 0..1: the world repeats. */
  readonly left: number;
  readonly top: number;
}

export interface Spot extends Place {
  /** Radius in metres of what is known of the position; 0: exact. */
  readonly radiusM: number;
}

export const TILE_PX = 256;
/** Tile servers stop here. */
export const MAX_ZOOM = 19;
/** Web Mercator ends here: the world is square. */
const MAX_LATITUDE = 85.0511287798066;
const EQUATOR_M = 40_075_016.686;
const RADIANS = Math.PI / 180;

export function worldX(longitude: number): number {
  return longitude / 360 + 0.5;
}

export function worldY(latitude: number): number {
  const sine = Math.sin(Math.min(Math.max(latitude, -MAX_LATITUDE), MAX_LATITUDE) * RADIANS);
  return 0.5 - Math.log((1 + sine) / (1 - sine)) / (4 * Math.PI);
}

export function latitudeOf(y: number): number {
  return Math.atan(Math.sinh(Math.PI * (1 - 2 * y))) / RADIANS;
}

/** Metres of ground that one unit of world width stands for at this latitude. */
export function metresPerWorld(latitude: number): number {
  return EQUATOR_M * Math.cos(Math.min(Math.abs(latitude), MAX_LATITUDE) * RADIANS);
}

/** Pixels from the left and top of the picture; the copy of the place that is nearest to the middle. */
export function pixelOf(view: View, place: Place): { readonly x: number; readonly y: number } {
  const scale = worldPixels(view);
  const middle = view.left + view.width / scale / 2;
  const x = worldX(place.longitude);
  const shifted = x + Math.round(middle - x);
  return { x: (shifted - view.left) * scale, y: (worldY(place.latitude) - view.top) * scale };
}

export function worldPixels(view: View): number {
  return TILE_PX * 2 ** view.zoom;
}

interface Bounds {
  readonly west: number;
  readonly east: number;
  readonly north: number;
  readonly south: number;
}

/**
 * The smallest world rectangle around all spots and their circles. The widest empty stretch of longitude is left out,
 * so two nodes on either side of the date line are near each other.
 */
function boundsOf(spots: readonly Spot[]): Bounds {
  const boxes = spots.map((spot) => {
    const radius = spot.radiusM / metresPerWorld(spot.latitude);
    return { x: worldX(spot.longitude), y: worldY(spot.latitude), radius: Math.min(radius, 0.25) };
  });
  const xs = boxes.map(({ x }) => x - Math.floor(x)).sort((a, b) => a - b);
  let start = xs[0] ?? 0;
  let widest = 1 - ((xs.at(-1) ?? 0) - start);
  for (const [index, x] of xs.entries()) {
    const gap = x - (xs[index - 1] ?? x);
    if (gap <= widest) continue;
    widest = gap;
    start = x;
  }
  const unwrapped = boxes.map((box) => ({ ...box, x: start + (box.x - start - Math.floor(box.x - start)) }));
  return {
    west: Math.min(...unwrapped.map(({ x, radius }) => x - radius)),
    east: Math.max(...unwrapped.map(({ x, radius }) => x + radius)),
    north: Math.min(...unwrapped.map(({ y, radius }) => y - radius)),
    south: Math.max(...unwrapped.map(({ y, radius }) => y + radius)),
  };
}

export interface FitOptions {
  readonly width: number;
  readonly height: number;
  /** Pixels kept free around the outermost spots, for their labels. */
  readonly margin: number;
  /** Closest view, for few nodes near each other. */
  readonly maxZoom: number;
  /** Only whole zooms: tiles are drawn as they come. */
  readonly whole: boolean;
  /** This zoom, whether all fits or not. */
  readonly exactZoom: number | null;
}

/** The view with all spots in it, as near as it goes. */
export function fitView(spots: readonly Spot[], options: FitOptions): View {
  const { width, height, margin, maxZoom, whole, exactZoom } = options;
  const bounds = boundsOf(spots);
  const room = (pixels: number, extent: number): number =>
    Math.log2(Math.max(pixels - 2 * margin, pixels / 4) / TILE_PX / Math.max(extent, 1e-12));
  const fitting = Math.min(
    room(width, bounds.east - bounds.west),
    room(height, bounds.south - bounds.north),
    Math.min(maxZoom, MAX_ZOOM),
  );
  const zoom = exactZoom === null ? Math.max(whole ? Math.floor(fitting) : fitting, 0) : Math.min(exactZoom, MAX_ZOOM);
  const scale = TILE_PX * 2 ** zoom;
  return {
    zoom,
    width,
    height,
    left: (bounds.west + bounds.east) / 2 - width / scale / 2,
    top: (bounds.north + bounds.south) / 2 - height / scale / 2,
  };
}
