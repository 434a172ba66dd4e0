import { DEFAULT_ROOM_PORTS } from './ports.ts';

export const configSchema = {
  ports: { type: 'list', default: DEFAULT_ROOM_PORTS, description: 'Names of the ports to put into the room' },
  peers: { type: 'list', default: [], description: 'Matrix users of relays of other meshes whose packets are taken' },
  mesh_ports: { type: 'list', default: ['WAYPOINT_APP'], description: 'Names of the ports to take from peers' },
} as const;
