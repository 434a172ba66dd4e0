/** The state of the relay in words. */

import type { RadioStatus, RelayStatus } from '../../src/plugins/api.ts';
import { linkText, radioText } from '../shared/link-text.ts';
import { cutBytes, PACKET_BYTES } from '../shared/mesh-text.ts';
import { longDuration } from '../shared/when.ts';

export function statusText(status: RelayStatus, nowMs: number): string {
  const { matrix, radios } = status;
  return [
    `mmrelay ${status.version}, up ${longDuration(nowMs - status.startedAtMs)}`,
    `Matrix: ${linkText(matrix, nowMs)}`,
    ...radios.map((radio) => `Radio ${radio.name}: ${[radioText(radio, nowMs), ...facts(radio)].join(', ')}`),
    `Waiting: ${waiting(status, 'radio:')} for the mesh, ${waiting(status, 'room:')} for rooms`,
  ].join('\n');
}

function facts({ hwModel, firmwareVersion, region, modemPreset }: RadioStatus): string[] {
  return [
    ...(hwModel === null ? [] : [hwModel]),
    ...(firmwareVersion === null ? [] : [`firmware ${firmwareVersion}`]),
    ...(region === null ? [] : [`${region}${modemPreset === null ? '' : ` ${modemPreset}`}`]),
  ];
}

function waiting(status: RelayStatus, kind: string): number {
  return status.queues.filter(({ lane }) => lane.startsWith(kind)).reduce((sum, { queued }) => sum + queued, 0);
}

/** For the mesh. */
export function statusShort(status: RelayStatus, nowMs: number): string {
  const radios = status.radios.map(({ name, status: link, releasedUntilMs }) => {
    const state = releasedUntilMs === null ? link : 'released';
    return status.radios.length === 1 ? `radio ${state}` : `${name} ${state}`;
  });
  const parts = [
    `mmrelay ${status.version}`,
    `up ${longDuration(nowMs - status.startedAtMs)}`,
    `Matrix ${status.matrix.status}`,
    ...radios,
    `waiting ${waiting(status, 'radio:')}/${waiting(status, 'room:')}`,
  ];
  return cutBytes(parts.join(' | '), PACKET_BYTES);
}
