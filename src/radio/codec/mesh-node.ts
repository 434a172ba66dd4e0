import { Config, Mesh } from '@meshtastic/protobufs';
import type { DeviceMetrics, MeshNode, NodePosition } from '../../relay/ports.ts';
import { enumName } from './parse.ts';

const DEGREES_PER_UNIT = 1e-7;

/** A node of the radio's database in our words; what it does not know is null. */
export function meshNode(info: Mesh.NodeInfo): MeshNode {
  return {
    num: info.num,
    ...userFields(info.user),
    favorite: info.isFavorite,
    ignored: info.isIgnored,
    viaMqtt: info.viaMqtt,
    lastHeardS: info.lastHeard,
    snr: finite(info.snr),
    hopsAway: info.hopsAway ?? null,
    position: nodePosition(info.position),
    metrics: deviceMetrics(info.deviceMetrics),
  };
}

type UserFields = Pick<MeshNode, 'longName' | 'shortName' | 'hwModel' | 'role' | 'publicKey' | 'unmessagable'>;

/** Names and kind of a node; all null for a node that never introduced itself. */
export function userFields(user: Mesh.User | undefined): UserFields {
  return {
    longName: user?.longName || null,
    shortName: user?.shortName || null,
    hwModel: user === undefined ? null : enumName(Mesh.HardwareModel, user.hwModel),
    role: user === undefined ? null : enumName(Config.Config_DeviceConfig_Role, user.role),
    publicKey: user !== undefined && user.publicKey.length > 0 ? user.publicKey : null,
    unmessagable: user?.isUnmessagable ?? false,
  };
}

/** Line noise can decode as NaN or infinity, which neither SQLite nor JSON can hold. */
export function finite(value: number): number {
  return Number.isFinite(value) ? value : 0;
}

/** null without coordinates (0, 0 is the firmware's "unknown"). */
export function nodePosition(position: Mesh.Position | undefined): NodePosition | null {
  const { latitudeI = 0, longitudeI = 0 } = position ?? {};
  if (position === undefined || (latitudeI === 0 && longitudeI === 0)) return null;
  return {
    latitude: latitudeI * DEGREES_PER_UNIT,
    longitude: longitudeI * DEGREES_PER_UNIT,
    altitudeM: position.altitude ?? null,
    timeS: position.time,
    precisionBits: position.precisionBits,
  };
}

/** Device metrics in our words. */
export function deviceMetrics(metrics: Mesh.NodeInfo['deviceMetrics']): DeviceMetrics | null {
  if (metrics === undefined) return null;
  return {
    batteryLevel: metrics.batteryLevel ?? null,
    voltage: finiteOrNull(metrics.voltage),
    channelUtilization: finiteOrNull(metrics.channelUtilization),
    airUtilTx: finiteOrNull(metrics.airUtilTx),
    uptimeS: metrics.uptimeSeconds ?? null,
  };
}

/** As `finite`, for what may be unset. */
export function finiteOrNull(value: number | undefined): number | null {
  return value !== undefined && Number.isFinite(value) ? value : null;
}
