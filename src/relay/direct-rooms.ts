import { nodeId } from '../util/node-id.ts';
import { RelayError } from '../util/relay-error.ts';
import { directRoomName, PRIORITY, parseDirectRoom, plainEvent } from './delivery.ts';
import type { MatrixPort, MeshNode } from './ports.ts';
import { textContent } from './rules/room-content.ts';
import type { DirectTarget, Intent } from './rules/view.ts';
import type { RelaySettings } from './settings.ts';
import type { StorePort, ValueStore } from './store-port.ts';
import { describeNode } from './world.ts';

export interface DirectRoomsOptions {
  readonly matrix: MatrixPort;
  readonly store: StorePort;
  readonly settings: () => RelaySettings;
}

/**
 * The rooms for direct messages, one per node, created at first contact. One per engine; holds nothing: which room
 * belongs to which node is in the store. Invariant: a node never gets a second room, whatever interrupts the first try.
 */
export class DirectRooms {
  readonly #options: DirectRoomsOptions;

  constructor(options: DirectRoomsOptions) {
    this.#options = options;
  }

  /** The node a room belongs to; null for any other room. */
  target(roomId: string): DirectTarget | null {
    const room = this.#options.store.values.get(directKey(roomId));
    return room === null ? null : parseDirectRoom(room);
  }

  /** The room behind a lane's name, created when there is none. @throws RelayError MATRIX_* */
  async resolve(room: string): Promise<string> {
    const { store, matrix, settings } = this.#options;
    const known = store.values.get(`dm:${room}`);
    if (known !== null) return this.#current(room, known);
    const target = parseDirectRoom(room);
    const own = matrix.userId();
    if (target === null) throw new RelayError('MATRIX_ROOM_INVALID', `${room} is no room for direct messages`);
    if (own === null)
      throw new RelayError('MATRIX_NOT_READY', 'The Matrix account is not logged in yet', { retry: { kind: 'later' } });
    const { long } = describeNode(target.node, store.names);
    const bot = own.slice(1, own.indexOf(':'));
    const roomId = await matrix.createRoom({
      aliasLocalpart: `mmrelay_${bot}_${target.radio}_${nodeId(target.node).slice(1)}`,
      name: long,
      topic: `Direct messages with the Meshtastic node ${nodeId(target.node)}`,
      invite: settings().directMessages.users,
      encrypted: matrix.canEncrypt(),
    });
    store.transaction(() => {
      this.#assign(room, roomId);
      store.values.set(`dmname:${room}`, long);
      store.values.set(`room:${roomId}`, 'joined');
    });
    return roomId;
  }

  /** The room, or the one that it was upgraded to. */
  async #current(room: string, roomId: string): Promise<string> {
    const { store, matrix } = this.#options;
    const current = matrix.currentRoom?.(roomId) ?? roomId;
    if (current === roomId) return roomId;
    await matrix.resolveRoom(current);
    store.transaction(() => this.#assign(room, current));
    return current;
  }

  #assign(room: string, roomId: string): void {
    const { values } = this.#options.store;
    values.set(`dm:${room}`, roomId);
    values.set(directKey(roomId), room);
  }

  /** What a node's new facts mean for its room: another name, another key. Call inside a transaction. */
  onNode(radio: string, node: MeshNode): readonly Intent[] {
    const { store } = this.#options;
    const room = directRoomName(radio, node.num);
    if (store.values.get(`dm:${room}`) === null) return [];
    return [...this.#renamed(room, node), ...this.#rekeyed(room, node)];
  }

  #renamed(room: string, node: MeshNode): readonly Intent[] {
    const { values } = this.#options.store;
    if (node.longName === null || node.longName === values.get(`dmname:${room}`)) return [];
    values.set(`dmname:${room}`, node.longName);
    const delivery = { kind: 'state', type: 'm.room.name', content: { name: node.longName } } as const;
    return [{ kind: 'to-room', room, priority: PRIORITY.status, delivery }];
  }

  /** A changed key may be a reset device, or somebody else with its number: people must know (trust on first use). */
  #rekeyed(room: string, node: MeshNode): readonly Intent[] {
    const { values } = this.#options.store;
    if (node.publicKey === null) return [];
    const key = Buffer.from(node.publicKey).toString('base64');
    const before = values.get(`dmkey:${room}`);
    if (before === key) return [];
    values.set(`dmkey:${room}`, key);
    if (before === null) return [];
    const body = 'The public key of this node has changed: it was reset, or another device uses its number.';
    const content = { ...textContent(body, { mmrelay_suppress: true }), msgtype: 'm.notice' };
    return [{ kind: 'to-room', room, priority: PRIORITY.chat, delivery: plainEvent('m.room.message', content) }];
  }
}

/** Whether the room is one for direct messages with a node. */
export function isDirectRoom(roomId: string, values: ValueStore): boolean {
  return values.get(directKey(roomId)) !== null;
}

function directKey(roomId: string): string {
  return `dmroom:${roomId}`;
}
