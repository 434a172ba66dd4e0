import type { Clock } from '../util/clock.ts';
import { nodeId } from '../util/node-id.ts';
import type { MatrixPort, RadioPort } from './ports.ts';
import type { DirectTarget, WorldView } from './rules/view.ts';
import type { RelaySettings, RoomRoute } from './settings.ts';
import type { NameStore, StorePort } from './store-port.ts';

type NodeNames = Pick<NameStore, 'get' | 'isShared'>;

export interface WorldOptions {
  readonly store: StorePort;
  readonly matrix: MatrixPort;
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly clock: Clock;
  readonly routeOf: (roomId: string) => RoomRoute | undefined;
  readonly directTarget: (roomId: string) => DirectTarget | null;
}

/** The world as the rules see it at this moment; every look-up is synchronous. */
export function viewWorld(settings: RelaySettings, options: WorldOptions): WorldView {
  const { store, matrix, radios, clock, routeOf, directTarget } = options;
  return {
    settings,
    nowMs: clock.now(),
    ownUser: matrix.userId(),
    routeOf,
    directTarget,
    radioInfo: (radio) => radios.get(radio)?.info() ?? null,
    node: (radio, num) => radios.get(radio)?.nodes().get(num) ?? null,
    names: (num) => describeNode(num, store.names),
    linkByPacket: (key) => store.links.byPacket(key),
    linksByEvent: (eventId) => store.links.byEvent(eventId),
    powerLevel: (room, user) => matrix.powerLevel(room, user),
  };
}

/**
 * A node's names for people. A stranger is `!hex`; when another node bears the same long name, the last four digits
 * of the id are added, so that nobody can pass for somebody else.
 */
export function describeNode(num: number, names: NodeNames): { long: string; short: string } {
  const id = nodeId(num);
  const name = names.get(num);
  const long = name?.longName ?? name?.shortName ?? id;
  const isShared = typeof name?.longName === 'string' && names.isShared(name.longName);
  return { long: isShared ? `${long} (${id.slice(-4)})` : long, short: name?.shortName ?? id.slice(-4) };
}
