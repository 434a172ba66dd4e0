/** Places on a round earth. Degrees, kilometres. */

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}

const EARTH_KM = 6371.0088;
const RADIANS = Math.PI / 180;

/** Great-circle distance (haversine). */
export function distanceKm(a: Place, b: Place): number {
  const lat1 = a.latitude * RADIANS;
  const lat2 = b.latitude * RADIANS;
  const halfLat = Math.sin((lat2 - lat1) / 2);
  const halfLon = Math.sin(((b.longitude - a.longitude) * RADIANS) / 2);
  const h = halfLat ** 2 + Math.cos(lat1) * Math.cos(lat2) * halfLon ** 2;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Mean place; longitudes are averaged on the circle, so that 179 and -179 meet at 180. */
export function meanPlace(places: readonly Place[]): Place | null {
  if (places.length === 0) return null;
  const sum = (value: (place: Place) => number): number => places.reduce((total, place) => total + value(place), 0);
  const longitude = Math.atan2(
    sum((place) => Math.sin(place.longitude * RADIANS)),
    sum((place) => Math.cos(place.longitude * RADIANS)),
  );
  return { latitude: sum((place) => place.latitude) / places.length, longitude: longitude / RADIANS };
}

/** A position that a radio really has: 0,0 is what a node without a fix sends. */
export function isPlace(place: Place): boolean {
  const { latitude, longitude } = place;
  if (!Number.isFinite(latitude) || !Number.isFinite(longitude)) return false;
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 && (latitude !== 0 || longitude !== 0);
}
