import type { MessageInitShape } from '@bufbuild/protobuf';
import type { Mesh, Telemetry } from '@meshtastic/protobufs';

export interface DeviceUser {
  readonly num: number;
  readonly longName: string;
  readonly shortName: string;
  /** HardwareModel by name. */
  readonly hwModel: string;
  /** Config.DeviceConfig.Role by name. */
  readonly role: string;
  /** 32 bytes; null for a node without PKI. */
  readonly publicKey: Uint8Array | null;
}

export interface PositionInfo {
  readonly latitude: number;
  readonly longitude: number;
  readonly altitudeM: number;
  /** Seconds since 1970. */
  readonly timeS: number;
}

export interface DeviceMetricsInfo {
  /** Percent; 101 is mains. */
  readonly batteryLevel: number;
  readonly voltage: number;
  /** Percent. */
  readonly channelUtilization: number;
  /** Percent of the last hour spent transmitting. */
  readonly airUtilTx: number;
  readonly uptimeS: number;
}

/** An entry of the device's node database. */
export interface DeviceNode {
  readonly user: DeviceUser;
  readonly position: PositionInfo | null;
  readonly metrics: DeviceMetricsInfo | null;
  /** null for the device itself. */
  readonly hopsAway: number | null;
  readonly snr: number;
  readonly lastHeardS: number;
  readonly favorite: boolean;
}

/** The protobuf's fields of a position: degrees as 1e-7 integers. */
export function positionInit(position: PositionInfo): MessageInitShape<typeof Mesh.PositionSchema> {
  return {
    latitudeI: Math.round(position.latitude * 1e7),
    longitudeI: Math.round(position.longitude * 1e7),
    altitude: Math.round(position.altitudeM),
    time: position.timeS,
    precisionBits: 32,
  };
}

/** The protobuf's fields of device metrics. */
export function metricsInit(metrics: DeviceMetricsInfo): MessageInitShape<typeof Telemetry.DeviceMetricsSchema> {
  const { batteryLevel, voltage, channelUtilization, airUtilTx, uptimeS } = metrics;
  return { batteryLevel, voltage, channelUtilization, airUtilTx, uptimeSeconds: uptimeS };
}
