/** The way of a packet in words. */

import type { Decoded } from '../../src/plugins/api.ts';
import { float32Text } from '../shared/numbers.ts';

export type Route = Extract<Decoded, { readonly kind: 'traceroute' }>;

/** A node that did not want to be named, or could not read the packet. */
const UNKNOWN = 0xffffffff;

export interface RouteNames {
  readonly relay: number;
  readonly target: number;
  nameOf(num: number): string;
}

/** `HOME → ALFA (6.0 dB) → BRVO (-3.5 dB)`, and the way back where the answer has it. */
export function routeLines(route: Route, names: RouteNames): string[] {
  const there = wayText([names.relay, ...route.route, names.target], route.snrTowards, names);
  if (route.routeBack.length === 0 && route.snrBack.length === 0) return [there];
  return [there, `Back: ${wayText([names.target, ...route.routeBack, names.relay], route.snrBack, names)}`];
}

function wayText(way: readonly number[], snr: readonly (number | null)[], names: RouteNames): string {
  return way
    .map((num, index) => {
      const name = num === UNKNOWN ? '?' : names.nameOf(num);
      const heard = index === 0 ? null : (snr[index - 1] ?? null);
      return heard === null ? name : `${name} (${float32Text(heard)} dB)`;
    })
    .join(' → ');
}
