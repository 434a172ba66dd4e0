/** Who was heard, by distance in hops. */

import type { NodeInfo } from '../../src/plugins/api.ts';
import { longDuration, shortAge } from '../shared/when.ts';

export interface WhoRequest {
  readonly spanMs: number;
  readonly page: number;
}

const HOUR_MS = 3_600_000;
const UNITS_MS: Readonly<Record<string, number>> = { m: 60_000, h: HOUR_MS, d: 24 * HOUR_MS };
const DEFAULT_MS = 24 * HOUR_MS;

/** `[15m|24h|7d] [page]` in any order; null for anything else. */
export function parseWho(text: string): WhoRequest | null {
  let request: WhoRequest = { spanMs: DEFAULT_MS, page: 1 };
  for (const word of text.split(/\s+/).filter((one) => one !== '')) {
    const match = /^(\d{1,4})([mhd]?)$/i.exec(word);
    if (match === null) return null;
    const [, digits = '', unit = ''] = match;
    const unitMs = UNITS_MS[unit.toLowerCase()];
    request =
      unitMs === undefined ? { ...request, page: Number(digits) } : { ...request, spanMs: Number(digits) * unitMs };
  }
  return request;
}

/** `Heard in the last 24 h: 3 of 40` */
export function whoTitle(heard: number, all: number, spanMs: number): string {
  const hours = spanMs / HOUR_MS;
  const span = hours <= 48 && Number.isInteger(hours) ? `${hours} h` : longDuration(spanMs);
  return `Heard in the last ${span}: ${heard} of ${all}`;
}

export function heardWithin(nodes: readonly NodeInfo[], spanMs: number, nowS: number): NodeInfo[] {
  return nodes
    .filter(({ own, lastHeardS }) => !own && lastHeardS > 0 && nowS - lastHeardS <= spanMs / 1000)
    .sort((a, b) => b.lastHeardS - a.lastHeardS);
}

/** One line per distance: `direct (2): ALFA now, BRVO 5m`. */
export function whoLines(heard: readonly NodeInfo[], nowS: number): string[] {
  const groups = new Map<string, NodeInfo[]>();
  const order = (node: NodeInfo): number => (node.viaMqtt ? 998 : (node.hopsAway ?? 999));
  for (const node of [...heard].sort((a, b) => order(a) - order(b))) {
    const name = groupName(node);
    groups.set(name, [...(groups.get(name) ?? []), node]);
  }
  return [...groups].map(([name, nodes]) => {
    const named = nodes.map((node) => `${node.shortName ?? node.id} ${shortAge(node.lastHeardS, nowS)}`);
    return `${name} (${nodes.length}): ${named.join(', ')}`;
  });
}

function groupName({ viaMqtt, hopsAway }: NodeInfo): string {
  if (viaMqtt) return 'MQTT';
  if (hopsAway === null) return 'unknown';
  if (hopsAway === 0) return 'direct';
  return hopsAway === 1 ? '1 hop' : `${hopsAway} hops`;
}

/** One entry per node, for pages of the mesh: `ALFA 5m 2hop`. */
export function whoShort(heard: readonly NodeInfo[], nowS: number): string[] {
  return heard.map((node) => {
    const hops = node.viaMqtt
      ? 'mqtt'
      : node.hopsAway === null
        ? '?'
        : node.hopsAway === 0
          ? 'direct'
          : `${node.hopsAway}hop`;
    return `${node.shortName ?? node.id} ${shortAge(node.lastHeardS, nowS)} ${hops}`;
  });
}
