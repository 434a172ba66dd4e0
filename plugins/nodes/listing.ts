/** Lines about nodes. */

import type { DeviceMetrics, NodeInfo } from '../../src/plugins/api.ts';
import { float32Text, isNumber } from '../shared/numbers.ts';
import { relativeTime, shortAge } from '../shared/when.ts';

export interface ListingOptions {
  readonly nowS: number;
  readonly timeZone: string;
}

export interface ListedNode {
  readonly node: NodeInfo;
  readonly metrics: DeviceMetrics | null;
}

/** `ALFA Alpha / TBEAM / 85% 4.1V / 6.0 dB / direct / 5 minutes ago`, as mmrelay 1.x wrote it. */
export function nodeLine({ node, metrics }: ListedNode, { nowS, timeZone }: ListingOptions): string {
  return [
    `${node.shortName ?? 'Unknown'} ${node.longName ?? 'Unknown'}`,
    node.hwModel ?? 'Unknown',
    `${batteryOf(metrics)}% ${isNumber(metrics?.voltage) ? float32Text(metrics.voltage) : '?'}V`,
    node.snr === null ? '' : `${float32Text(node.snr)} dB`,
    hopsText(node.hopsAway),
    relativeTime(node.lastHeardS, nowS, timeZone),
  ]
    .filter((field) => field !== '')
    .join(' / ');
}

function batteryOf(metrics: DeviceMetrics | null): string {
  return isNumber(metrics?.batteryLevel) ? `${metrics.batteryLevel}` : '?';
}

function hopsText(hops: number | null): string {
  if (hops === null) return '? hops away';
  if (hops === 0) return 'direct';
  return hops === 1 ? '1 hop away' : `${hops} hops away`;
}

/** `ALFA 85% direct 5m`: for the mesh. */
export function nodeShort({ node, metrics }: ListedNode, nowS: number): string {
  const hops = node.hopsAway === null ? '' : node.hopsAway === 0 ? ' direct' : ` ${node.hopsAway}hop`;
  const battery = isNumber(metrics?.batteryLevel) ? ` ${metrics.batteryLevel}%` : '';
  return `${node.shortName ?? node.id}${battery}${hops} ${shortAge(node.lastHeardS, nowS)}`;
}
