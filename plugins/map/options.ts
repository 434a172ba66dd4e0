/** What may follow `!map`. */

export interface MapOptions {
  readonly zoom: number | null;
  readonly width: number;
  readonly height: number;
}

export const MAP_USAGE = 'Usage: !map [zoom=0-19] [size=WIDTH,HEIGHT]';

const MAX_PIXELS = 1000;

/** Any sequence of `zoom=N` and `size=W,H`; null for anything else. Sizes are clamped, a zoom out of range is ignored. */
export function parseMapOptions(text: string, defaults: MapOptions): MapOptions | null {
  const rest = text.replace(/(?:^|\s)(?:zoom=\d+|size=\d+,\s?\d+)(?=\s|$)/gi, '').trim();
  if (rest !== '') return null;
  const zoom = /zoom=(\d+)/i.exec(text)?.[1];
  const [, width, height] = /size=(\d+),\s?(\d+)/i.exec(text) ?? [];
  return {
    zoom: zoom === undefined || Number(zoom) > 30 ? defaults.zoom : Number(zoom),
    width: clampSize(width ?? defaults.width),
    height: clampSize(height ?? defaults.height),
  };
}

function clampSize(value: string | number): number {
  return Math.min(Math.max(Number(value), 1), MAX_PIXELS);
}
