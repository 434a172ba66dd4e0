import type { Socket } from 'node:net';
import type { GuestPacket } from '../../relay/ports.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { changesSettings } from '../codec/admin.ts';
import { sentPacketFrame, withPacketId } from '../codec/config-frames.ts';
import {
  decodeToRadio,
  encodeFileTransfer,
  encodeQueueStatus,
  type FileTransferControl,
  type QueueStatusInfo,
} from '../codec/device-frames.ts';
import type { DevicePacket } from '../codec/device-packet.ts';
import type { RoutingErrorName } from '../codec/device-payloads.ts';
import type { FromRadioMessage } from '../codec/from-radio.ts';
import type { SharedRadio } from '../radio-tap.ts';
import { ADMIN_APP, adminList, needsAdmin } from './admission.ts';
import { ClientLink } from './client-link.ts';
import { ConfigCache } from './config-cache.ts';
import { NodeListener } from './listener.ts';
import { answerWithoutFiles } from './no-files.ts';
import type { ClientHandlers, NodeClient } from './node-client.ts';
import { refusalNotice, routingAnswer } from './refusals.ts';
import { WebDoor } from './web-door.ts';

const TEXT_MESSAGE_APP = 1;
/** Until the radio has told its own. */
const USUAL_QUEUE = 16;
/** The radio ignores an id that is among the last 20 of its one client (PhoneAPI recentToRadioPacketIds). */
const RECENT_IDS = 20;
const MAX_UNANSWERED = 256;
/** Heartbeat.nonce that asks the radio to introduce itself to the mesh anew, instead of for a status. */
const NODEINFO_PING = 1;
/** A client's order is followed by others: the configuration is asked for when it is done. */
const REFRESH_MS = 2_000;

export interface VirtualNodeOptions {
  readonly listen: { readonly host: string; readonly port: number };
  /** Addresses whose clients may send admin messages; empty: nobody. */
  readonly allowAdmin: readonly string[];
  /** Origins of web pages that may use the radio from a browser; empty: none. */
  readonly webClients: readonly string[];
  readonly radio: SharedRadio;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Puts a packet of a client into the radio's lane; false when too many of that client wait. */
  readonly offer: (packet: GuestPacket) => boolean;
}

/** A packet that went to the radio and whose acceptance is not yet known. */
interface Given {
  readonly bytes: Uint8Array;
  /** Who gave it; null for the relay. */
  readonly owner: NodeClient | null;
  /** An order to a device: not for everybody's eyes. */
  readonly isAdmin: boolean;
}

/**
 * Shares one radio: phone apps and other clients connect here as if it were the radio. One per daemon. Holds the
 * clients, the radio's configuration and the packets whose acceptance is awaited.
 * Invariants: the radio's bytes go to the clients as they came, its private key to admitted ones only; packets of the clients leave by the radio's own lane,
 * under its pacing; nothing a client does or omits holds up the radio.
 */
export class VirtualNode {
  readonly #options: VirtualNodeOptions;
  readonly #logger: Logger;
  readonly #cache = new ConfigCache();
  readonly #clients = new Set<NodeClient>();
  readonly #mayAdmin: (address: string) => boolean;
  readonly #given = new Map<number, Given>();
  #recentIds: readonly number[] = [];
  #queue: QueueStatusInfo = { res: 0, free: USUAL_QUEUE, maxlen: USUAL_QUEUE, packetId: 0 };
  #cancelRefresh: () => void = () => undefined;
  readonly #handlers: ClientHandlers = {
    onRequest: (payload, client) => this.#onRequest(payload, client),
    onClosed: (client, reason) => {
      this.#clients.delete(client);
      this.#logger.info('a client left the virtual node', { client: client.name, reason, clients: this.clientCount });
    },
  };
  readonly #listener: NodeListener;
  readonly #web: WebDoor | null;
  readonly #untap: () => void;

  constructor(options: VirtualNodeOptions) {
    this.#options = options;
    this.#logger = options.logger.child('virtual-node', { radio: options.radio.name });
    this.#mayAdmin = adminList(options.allowAdmin);
    const { listen, webClients: origins, clock } = options;
    const onSocket = (socket: Socket): void => this.#accept(socket);
    this.#listener = new NodeListener({ listen, clock, logger: this.#logger, onSocket });
    const onJoined = (client: NodeClient): void => this.#join(client);
    this.#web = origins.length === 0 ? null : new WebDoor({ origins, clock, onJoined, handlers: this.#handlers });
    this.#untap = options.radio.tap({
      onFrame: (payload, message) => this.#onFrame(payload, message),
      onSent: (packetId, bytes) => this.#note(packetId, { bytes, owner: null, isAdmin: false }),
    });
  }

  /** Where clients connect; 0 while nothing listens. */
  get port(): number {
    return this.#listener.port;
  }

  get clientCount(): number {
    return this.#clients.size;
  }

  /** Listens; the relay goes on without when the port is taken. Resolves after the first attempt. */
  async start(): Promise<void> {
    await this.#listener.start();
  }

  async stop(): Promise<void> {
    this.#cancelRefresh();
    this.#untap();
    const stopped = this.#listener.stop();
    for (const client of [...this.#clients]) client.destroy();
    this.#web?.stop();
    await stopped;
  }

  #accept(socket: Socket): void {
    const join = (): void => this.#join(new ClientLink(socket, this.#handlers));
    if (this.#web === null) join();
    else this.#web.enter(socket, join);
  }

  #join(client: NodeClient): void {
    this.#clients.add(client);
    this.#logger.info('a client joined the virtual node', { client: client.name, clients: this.clientCount });
  }

  // ---- from the radio

  #onFrame(payload: Uint8Array, message: FromRadioMessage): void {
    this.#cache.note(payload, message);
    switch (message.kind) {
      case 'packet':
        this.#tellAll(payload, { isAdmin: message.packet.portnum === ADMIN_APP });
        return;
      case 'notification':
      case 'rebooted':
      case 'log':
        this.#tellAll(payload);
        return;
      case 'queue-status':
        this.#queue = { ...message.status, res: 0, packetId: 0 };
        this.#onAnswer(message.status.packetId, message.status.res, payload);
        return;
      case 'config-complete':
        if (this.#cache.isComplete) for (const client of this.#clients) this.#configure(client);
        return;
      default:
    }
  }

  /** The radio took a packet, or did not: the others see what went out; a refusal goes to whose packet it was. */
  #onAnswer(packetId: number, res: number, payload: Uint8Array): void {
    const given = this.#given.get(packetId);
    if (given === undefined) return;
    if (res !== 0 && given.owner !== null) given.owner.send([payload]);
    if (given.owner === null && res === 0) this.#showOthers(packetId, given);
    if (given.owner === null) this.#given.delete(packetId);
  }

  #note(packetId: number, given: Given): void {
    this.#given.set(packetId, given);
    const oldest = this.#given.keys().next();
    if (this.#given.size > MAX_UNANSWERED && oldest.done !== true) this.#given.delete(oldest.value);
  }

  #showOthers(packetId: number, { bytes, owner, isAdmin }: Given): void {
    this.#given.delete(packetId);
    const frame = sentPacketFrame(bytes, this.#cache.ownNum, this.#nowS());
    if (frame !== null) this.#tellAll(frame, { isAdmin, except: owner });
  }

  /** @param payload with `isAdmin`: of settings, the keys of the radio among them; only for whom it obeys */
  #tellAll(
    payload: Uint8Array,
    { isAdmin = false, except = null }: { readonly isAdmin?: boolean; readonly except?: NodeClient | null } = {},
  ): void {
    for (const client of this.#clients)
      if (client.isListening && client !== except && (!isAdmin || this.#mayAdmin(client.address)))
        client.send([payload]);
  }

  // ---- from the clients

  #onRequest(payload: Uint8Array, client: NodeClient): void {
    const request = decodeToRadio(payload);
    switch (request?.kind) {
      case 'want-config':
        client.awaitedNonce = request.nonce;
        if (this.#cache.isComplete) this.#configure(client);
        return;
      case 'heartbeat':
        if (request.nonce === NODEINFO_PING) this.#options.radio.pass(payload);
        else client.send([this.#status(0)]);
        return;
      case 'file-transfer':
        this.#refuseFile(client, answerWithoutFiles(request.control));
        return;
      case 'disconnect':
        client.close('the client said goodbye');
        return;
      case 'packet':
        this.#onPacket(request.packet, payload, client);
        return;
      default:
        this.#logger.debug('a request that is not served', {
          client: client.name,
          kind: request?.kind ?? 'unreadable',
        });
    }
  }

  #configure(client: NodeClient): void {
    const nonce = client.awaitedNonce;
    if (nonce === null) return;
    client.awaitedNonce = null;
    client.isListening = true;
    client.send(this.#cache.frames(nonce, { isAdmin: this.#mayAdmin(client.address) }));
  }

  #onPacket(given: DevicePacket, payload: Uint8Array, client: NodeClient): void {
    const id = given.id === 0 ? this.#options.radio.newPacketId() : given.id;
    const bytes = given.id === 0 ? withPacketId(payload, id) : payload;
    const packet = { ...given, id };
    // A client that missed a QueueStatus sends again; the radio would not answer a second time either.
    if (this.#recentIds.includes(id)) {
      client.send([this.#status(id)]);
      return;
    }
    this.#recentIds = [...this.#recentIds, id].slice(-RECENT_IDS);
    if (needsAdmin(packet) && !this.#mayAdmin(client.address)) {
      client.send([this.#status(id)]);
      this.#refuseAdmin(client, packet);
      return;
    }
    const own: Given = { bytes, owner: client, isAdmin: needsAdmin(packet) };
    const isTaken = this.#options.offer({
      id,
      guest: client.name,
      isText: packet.portnum === TEXT_MESSAGE_APP && !packet.encrypted,
      portnum: packet.encrypted ? 0 : packet.portnum,
      bytes,
      onTaken: () => this.#onTaken(packet, own),
      onRefused: (error) => this.#onRefused(client, packet, error),
    });
    client.send([this.#status(id)]);
    if (isTaken) this.#note(id, own);
    else this.#refuse(client, packet, 'RATE_LIMIT_EXCEEDED');
  }

  #onTaken(packet: DevicePacket, given: Given): void {
    this.#showOthers(packet.id, given);
    if (packet.portnum === ADMIN_APP && packet.to === this.#cache.ownNum && changesSettings(packet.payload))
      this.#refreshSoon();
    if (packet.portnum !== TEXT_MESSAGE_APP || packet.encrypted) return;
    const heard = { ...packet, from: this.#cache.ownNum, hopStart: packet.hopLimit, rxTimeS: this.#nowS() };
    this.#options.radio.hearOwn(heard);
  }

  /** The radio tells its own refusals as packets; what our lane refuses, only we can tell. */
  #onRefused(client: NodeClient, packet: DevicePacket, error: RoutingErrorName): void {
    this.#given.delete(packet.id);
    if (error !== 'RATE_LIMIT_EXCEEDED') this.#refuse(client, packet, error);
  }

  #refuseAdmin(client: NodeClient, packet: DevicePacket): void {
    const isOrder = packet.encrypted || changesSettings(packet.payload);
    this.#logger[isOrder ? 'warn' : 'debug']('an admin message was refused', { client: client.name });
    client.send([this.#routing(packet, 'NOT_AUTHORIZED')]);
    if (!isOrder || client.isToldOfAdmin) return;
    client.isToldOfAdmin = true;
    client.send([this.#notice(packet, 'NOT_AUTHORIZED')]);
  }

  #refuseFile(client: NodeClient, answer: FileTransferControl | null): void {
    if (answer !== null) client.send([encodeFileTransfer(answer)]);
  }

  #refreshSoon(): void {
    this.#cancelRefresh();
    const { clock, radio } = this.#options;
    this.#cancelRefresh = clock.after(REFRESH_MS, () => radio.refresh(), { background: true });
  }

  #refuse(client: NodeClient, packet: DevicePacket, error: RoutingErrorName): void {
    client.send([this.#routing(packet, error), this.#notice(packet, error)]);
  }

  #notice({ id }: DevicePacket, error: RoutingErrorName): Uint8Array {
    return refusalNotice(error, id, this.#nowS());
  }

  #routing(packet: DevicePacket, error: RoutingErrorName): Uint8Array {
    return routingAnswer(packet, error, { ownNum: this.#cache.ownNum, id: this.#options.radio.newPacketId() });
  }

  #nowS(): number {
    return Math.floor(this.#options.clock.now() / 1000);
  }

  #status(packetId: number): Uint8Array {
    // Its own share of the queue is free again as far as the client can know: the lane holds what has to wait.
    return encodeQueueStatus({ ...this.#queue, free: Math.max(1, this.#queue.free), packetId });
  }
}
