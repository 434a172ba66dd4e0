import { create, toBinary } from '@bufbuild/protobuf';
import { Config, Mesh, Telemetry } from '@meshtastic/protobufs';
import { nodeId } from '../../util/node-id.ts';
import type { DeviceMetricsInfo, DeviceUser, PositionInfo } from './device-node.ts';
import { metricsInit, positionInit } from './device-node.ts';

/** Payload of NODEINFO_APP. Unknown names of hardware or role are left unset. */
export function encodeUser(user: DeviceUser): Uint8Array {
  return toBinary(Mesh.UserSchema, create(Mesh.UserSchema, userInit(user)));
}

/** The protobuf's fields of a user, the way firmware fills them. */
export function userInit(user: DeviceUser) {
  const macaddr = new Uint8Array(6);
  new DataView(macaddr.buffer).setUint32(2, user.num);
  return {
    id: nodeId(user.num),
    longName: user.longName,
    shortName: user.shortName,
    macaddr,
    hwModel: Mesh.HardwareModel[user.hwModel as keyof typeof Mesh.HardwareModel] ?? Mesh.HardwareModel.UNSET,
    role: Config.Config_DeviceConfig_Role[user.role as keyof typeof Config.Config_DeviceConfig_Role] ?? 0,
    isUnmessagable: false,
    ...(user.publicKey === null ? {} : { publicKey: user.publicKey }),
  };
}

/** Payload of POSITION_APP. */
export function encodePosition(position: PositionInfo): Uint8Array {
  return toBinary(Mesh.PositionSchema, create(Mesh.PositionSchema, positionInit(position)));
}

/** Payload of TELEMETRY_APP with device metrics. @param timeS seconds since 1970 */
export function encodeTelemetry(metrics: DeviceMetricsInfo, timeS: number): Uint8Array {
  const variant = { case: 'deviceMetrics', value: metricsInit(metrics) } as const;
  return toBinary(Telemetry.TelemetrySchema, create(Telemetry.TelemetrySchema, { time: timeS, variant }));
}

/** Routing.Error by name, as NONE (an acknowledgement) or RATE_LIMIT_EXCEEDED. */
export type RoutingErrorName = keyof typeof Mesh.Routing_Error;

/** The number of a routing error; QueueStatus.res carries it too. */
export function routingErrorNumber(error: RoutingErrorName): number {
  return Mesh.Routing_Error[error];
}

/** Payload of ROUTING_APP. */
export function encodeRouting(error: RoutingErrorName): Uint8Array {
  const variant = { case: 'errorReason', value: Mesh.Routing_Error[error] } as const;
  return toBinary(Mesh.RoutingSchema, create(Mesh.RoutingSchema, { variant }));
}
