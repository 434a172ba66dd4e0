import { POSITION_APP, WAYPOINT_APP } from '../../util/portnums.ts';
import { type ProtoField, readProtoFields } from '../../util/proto-fields.ts';
import { utf8Decode } from '../../util/utf8.ts';
import type { MeshPacket } from '../ports.ts';

export interface MeshPlace {
  readonly kind: 'position' | 'waypoint';
  readonly latitude: number;
  readonly longitude: number;
  readonly altitudeM: number | null;
  /** Name and description of a waypoint; empty for a position. */
  readonly words: string;
}

/** mesh.proto: latitude_i and longitude_i are degrees times 1e7. */
const SCALE = 1e-7;

/** The place a position or waypoint packet speaks of; null for other packets, and for ones without coordinates. */
export function readPlace(packet: MeshPacket): MeshPlace | null {
  if (packet.encrypted || (packet.portnum !== POSITION_APP && packet.portnum !== WAYPOINT_APP)) return null;
  const fields = readProtoFields(packet.payload);
  if (fields === null) return null;
  const waypoint = packet.portnum === WAYPOINT_APP;
  const latitude = fields.get(waypoint ? 2 : 1);
  const longitude = fields.get(waypoint ? 3 : 2);
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return null;
  const altitude = waypoint ? undefined : fields.get(3);
  return {
    kind: waypoint ? 'waypoint' : 'position',
    latitude: latitude * SCALE,
    longitude: longitude * SCALE,
    // int32 below zero is sent as a varint of ten bytes.
    altitudeM: typeof altitude === 'number' ? (altitude > 2 ** 31 ? altitude - 2 ** 64 : altitude) : null,
    words: waypoint ? [wordsOf(fields.get(6)), wordsOf(fields.get(7))].filter((part) => part !== '').join(': ') : '',
  };
}

function wordsOf(field: ProtoField | undefined): string {
  return field instanceof Uint8Array ? utf8Decode(field) : '';
}
