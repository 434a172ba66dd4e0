/** The map in words, for the mesh: who is where, seen from the one who asks. */

import { distanceKm, type Place } from '../shared/geo.ts';
import { PACKET_BYTES, utf8Length } from '../shared/mesh-text.ts';

const WINDS = ['N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW'] as const;
const RADIANS = Math.PI / 180;

export interface NamedPlace extends Place {
  readonly shortName: string;
}

/** `From you: ALFA 1.2 km NE, BRVO 12 km S`, as many as fit one packet, the nearest first. */
export function describeNearby(from: Place, nodes: readonly NamedPlace[]): string {
  const entries = nodes
    .map((node) => ({ node, km: distanceKm(from, node) }))
    .sort((a, b) => a.km - b.km)
    .map(({ node, km }) => `${node.shortName} ${km < 10 ? km.toFixed(1) : Math.round(km)} km ${windOf(from, node)}`);
  let text = 'From you: ';
  for (const [index, entry] of entries.entries()) {
    const next = `${text}${index === 0 ? '' : ', '}${entry}`;
    if (utf8Length(next) > PACKET_BYTES) break;
    text = next;
  }
  return text;
}

/** Direction in which one sets out on the great circle. */
function windOf(from: Place, to: Place): string {
  const turn = (to.longitude - from.longitude) * RADIANS;
  const [lat1, lat2] = [from.latitude * RADIANS, to.latitude * RADIANS];
  const y = Math.sin(turn) * Math.cos(lat2);
  const x = Math.cos(lat1) * Math.sin(lat2) - Math.sin(lat1) * Math.cos(lat2) * Math.cos(turn);
  const degrees = (Math.atan2(y, x) / RADIANS + 360) % 360;
  return WINDS[Math.round(degrees / 45) % 8] ?? 'N';
}
