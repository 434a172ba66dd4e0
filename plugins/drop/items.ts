/** Texts left at a place, in the form of mmrelay 1.x (`location`, `text`, `originator`), with the time added. */

import type { Json } from '../../src/plugins/api.ts';
import { distanceKm, type Place } from '../shared/geo.ts';
import { isNumber } from '../shared/numbers.ts';

export interface DroppedText {
  readonly place: Place;
  readonly text: string;
  /** Node id. */
  readonly originator: string;
  /** Seconds since 1970; null in rows of the old relay. */
  readonly droppedAtS: number | null;
}

/** The key under which all of them are stored. */
export const DROP_KEY = '!NODE_MSGS!';
/** All in all, as ever. */
export const MAX_DROPS = 100;

export function readDrops(stored: Json): DroppedText[] {
  const list = Array.isArray(stored) ? (stored as readonly Json[]) : [];
  return list.flatMap((item) => {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) return [];
    const { location, text, originator, time } = item as { readonly [key: string]: Json | undefined };
    const [latitude, longitude] = Array.isArray(location) ? (location as readonly Json[]) : [];
    if (!isNumber(latitude) || !isNumber(longitude) || typeof text !== 'string') return [];
    return [
      {
        place: { latitude, longitude },
        text,
        originator: typeof originator === 'string' ? originator : '',
        droppedAtS: isNumber(time) ? time : null,
      },
    ];
  });
}

export function writeDrops(drops: readonly DroppedText[]): Json {
  return drops.map(({ place, text, originator, droppedAtS }) => ({
    location: [place.latitude, place.longitude],
    text,
    originator,
    ...(droppedAtS === null ? {} : { time: droppedAtS }),
  }));
}

/** Those that a node at this place is to get. */
export function dueFor(
  drops: readonly DroppedText[],
  visitor: { readonly id: string; readonly place: Place; readonly radiusKm: number },
): DroppedText[] {
  const reachDegrees = visitor.radiusKm / 110;
  return drops.filter(
    ({ place, originator }) =>
      originator !== visitor.id &&
      Math.abs(place.latitude - visitor.place.latitude) <= reachDegrees &&
      distanceKm(place, visitor.place) <= visitor.radiusKm,
  );
}
