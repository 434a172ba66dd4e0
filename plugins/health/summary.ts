/** The state of the mesh in five lines. */

import { fixed, isNumber, mean, median } from '../shared/numbers.ts';

export interface NodeHealth {
  /** Percent; above 100 stands for external power and is no level. */
  readonly batteryLevel: number | null;
  readonly airUtilTx: number | null;
  readonly snr: number | null;
}

const LOW_BATTERY = 10;

interface Values {
  readonly battery: readonly number[];
  readonly air: readonly number[];
  readonly snr: readonly number[];
}

function valuesOf(nodes: readonly NodeHealth[]): Values {
  return {
    battery: nodes
      .map(({ batteryLevel }) => batteryLevel)
      .filter((level) => isNumber(level) && level <= 100) as number[],
    air: nodes.map(({ airUtilTx }) => airUtilTx).filter(isNumber),
    snr: nodes.map(({ snr }) => snr).filter(isNumber),
  };
}

/** As mmrelay 1.x wrote it. */
export function healthText(nodes: readonly NodeHealth[]): string {
  if (nodes.length === 0) return 'No nodes discovered yet.';
  const { battery, air, snr } = valuesOf(nodes);
  const externalOnly = nodes.some(({ batteryLevel }) => isNumber(batteryLevel));
  if (battery.length + air.length + snr.length === 0 && !externalOnly)
    return `Nodes: ${nodes.length}\nNo nodes with health metrics found.`;
  const both = (values: readonly number[], digits: number, unit: string): string =>
    values.length === 0
      ? 'N/A'
      : `${fixed(mean(values), digits)}${unit} / ${fixed(median(values), digits)}${unit} (avg / median)`;
  return [
    `Nodes: ${nodes.length}`,
    ` Battery: ${both(battery, 1, '%')}`,
    ` Nodes with Low Battery (<= 10%): ${battery.filter((level) => level <= LOW_BATTERY).length}`,
    ` Air Util: ${both(air, 2, '')}`,
    ` SNR: ${both(snr, 2, '')}`,
  ].join('\n');
}

/** The averages in one line, for the mesh. */
export function healthLine(nodes: readonly NodeHealth[]): string {
  const { battery, air, snr } = valuesOf(nodes);
  const low = battery.filter((level) => level <= LOW_BATTERY).length;
  const parts = [
    `Nodes ${nodes.length}`,
    ...(battery.length > 0 ? [`bat ${fixed(mean(battery), 0)}%${low > 0 ? ` (${low} low)` : ''}`] : []),
    ...(air.length > 0 ? [`air ${fixed(mean(air), 1)}%`] : []),
    ...(snr.length > 0 ? [`SNR ${fixed(mean(snr), 1)}`] : []),
  ];
  return parts.join(' | ');
}
