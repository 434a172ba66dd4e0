import { orderedChannel } from '../../radio/codec/admin.ts';
import {
  type DeviceChannel,
  type DeviceLora,
  encodeNotification,
  encodeQueueStatus,
} from '../../radio/codec/device-frames.ts';
import { type DevicePacket, devicePacket } from '../../radio/codec/device-packet.ts';
import { encodeRouting, type RoutingErrorName, routingErrorNumber } from '../../radio/codec/device-payloads.ts';
import { ackTimeoutMs, airtimeMs, type Modem, slotMs } from '../../util/airtime.ts';
import type { Clock } from '../../util/clock.ts';
import { BROADCAST } from '../../util/node-id.ts';
import type { RadioCounters } from './counters.ts';
import { DutyCycle } from './duty-cycle.ts';
import { type Mesh, type MeshListener, packetFrameBytes } from './mesh.ts';
import type { PhoneQueue } from './phone-queue.ts';
import { TX_QUEUE_LENGTH, TxQueue } from './tx-queue.ts';

const TEXT_MESSAGE_APP = 1;
const NODEINFO_APP = 4;
const ROUTING_APP = 5;
const ADMIN_APP = 6;
const MAX_LORA_FRAME_BYTES = 255;
/** Sends of a reliable packet before the firmware gives up (NUM_RELIABLE_RETX). */
const RELIABLE_TRIES = 3;
/** Slots of the contention window on an idle channel: 2^3. */
const IDLE_SLOTS = 8;
/** Packet history: max(100, 2 x nodes); the sandbox has few nodes. */
const HISTORY = 100;
/** ErrorCode numbers of the firmware's own (MeshTypes.h), beside Routing.Error. */
const ERRNO = { OK: 0, UNKNOWN: 32, DISABLED: 34, SHOULD_RELEASE: 35 } as const;

export interface DeviceOptions {
  readonly nodeNum: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly newId: () => number;
  readonly lora: DeviceLora;
  /** By index; its client may change them. */
  readonly channels: DeviceChannel[];
  readonly dutyPercent: number;
  readonly mesh: Mesh;
  readonly phoneQueue: PhoneQueue;
  readonly counters: RadioCounters;
  /** Something waits for the client. */
  readonly onPhoneData: () => void;
  /** True swallows one QueueStatus. */
  readonly loseStatus: () => boolean;
}

interface Pending {
  readonly packet: DevicePacket;
  triesLeft: number;
  cancel: () => void;
}

/**
 * The mesh layer of a device: router, reliable router and radio interface of the firmware in one, in the role
 * CLIENT_MUTE (it does not repeat what others send). One per virtual radio. Invariant: one transmission at a time;
 * each reliable packet of ours is in `#pending` until it was acknowledged, refused or given up.
 */
export class Device implements MeshListener {
  readonly #options: DeviceOptions;
  readonly #modem: Modem;
  readonly #duty: DutyCycle;
  readonly #tx: TxQueue;
  readonly #pending = new Map<number, Pending>();
  #history: string[] = [];
  #sentIds = new Set<number>();
  #cancelAir: (() => void) | null = null;

  constructor(options: DeviceOptions) {
    this.#options = options;
    this.#modem = options.lora;
    this.#duty = new DutyCycle(options.clock, options.dutyPercent);
    this.#tx = new TxQueue(TX_QUEUE_LENGTH, () => undefined);
    options.mesh.attach(this);
    this.pushStatus(ERRNO.OK, 0);
  }

  get airUtilTx(): number {
    return this.#duty.usedPercent;
  }

  /** A QueueStatus as it is now, outside the queue: the answer to a heartbeat. */
  statusFrame(res: number, packetId: number): Uint8Array {
    return encodeQueueStatus({ res, free: this.#tx.free, maxlen: this.#tx.maxlen, packetId });
  }

  pushStatus(res: number, packetId: number): void {
    if (this.#options.loseStatus()) return;
    this.#options.phoneQueue.pushStatus(this.statusFrame(res, packetId));
    this.#options.onPhoneData();
  }

  notify(message: string, replyId: number): void {
    const timeS = Math.floor(this.#options.clock.now() / 1000);
    this.#options.phoneQueue.pushNotification(encodeNotification(message, replyId, timeS));
    this.#options.onPhoneData();
  }

  /** A routing answer of the device to its own client: from itself, to itself. */
  answerClient(error: RoutingErrorName, requestId: number, channel: number): void {
    const { nodeNum, newId } = this.#options;
    const payload = encodeRouting(error);
    const fields = { from: nodeNum, to: nodeNum, id: newId(), portnum: ROUTING_APP, payload, requestId, channel };
    this.#toPhone(devicePacket({ ...fields, priority: 120 }));
  }

  /** A packet of the client, past the phone API's limits (MeshService::handleToRadio). */
  sendFromClient(given: DevicePacket): void {
    const { nodeNum, newId, counters, lora } = this.#options;
    counters.accepted += 1;
    const hopLimit = given.hopLimit === 0 && given.wantAck ? lora.hopLimit : given.hopLimit;
    const packet = { ...given, from: nodeNum, id: given.id || newId(), hopLimit, hopStart: hopLimit };
    this.pushStatus(this.#sendLocal(packet), packet.id);
  }

  receive(packet: DevicePacket, evenIfSeen = false): void {
    const { nodeNum, clock, mesh } = this.#options;
    const key = `${packet.from}:${packet.id}`;
    if (this.#history.includes(key) && !evenIfSeen) return;
    this.#history = [...this.#history, key].slice(-HISTORY);
    if (packet.portnum === NODEINFO_APP && mesh.nodes.has(packet.from)) mesh.update(packet.from, { known: true });
    if (packet.to === nodeNum && packet.requestId !== 0) this.#settle(packet.requestId);
    if (packet.to === nodeNum && packet.wantAck) this.#acknowledge(packet);
    if (packet.to !== nodeNum && packet.to !== BROADCAST) return;
    this.#toPhone({ ...packet, rxTimeS: packet.rxTimeS || Math.floor(clock.now() / 1000) });
  }

  heardRebroadcast(from: number, id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined || from !== this.#options.nodeNum) return;
    this.#settle(id);
    this.answerClient('NONE', id, pending.packet.channel);
  }

  /** Loses what RAM holds. */
  reboot(): void {
    this.close();
    this.#history = [];
    this.#sentIds = new Set();
    this.#options.phoneQueue.clear();
    this.pushStatus(ERRNO.OK, 0);
  }

  close(): void {
    this.#cancelAir?.();
    this.#cancelAir = null;
    for (const id of [...this.#pending.keys()]) this.#settle(id);
    this.#tx.clear();
  }

  #toPhone(packet: DevicePacket): void {
    this.#options.phoneQueue.pushPacket(packet);
    this.#options.onPhoneData();
  }

  #acknowledge({ from, id, channel }: DevicePacket): void {
    const { nodeNum, newId, lora } = this.#options;
    const fields = { from: nodeNum, to: from, id: newId(), channel, hopLimit: lora.hopLimit, hopStart: lora.hopLimit };
    this.#enqueue(devicePacket({ ...fields, portnum: ROUTING_APP, payload: encodeRouting('NONE'), requestId: id }));
  }

  /** Router::sendLocal; the answer is the `res` of the QueueStatus. */
  #sendLocal(packet: DevicePacket): number {
    const { nodeNum, lora } = this.#options;
    if (packet.to === nodeNum) {
      if (packet.portnum === ADMIN_APP) this.#obey(packet.payload);
      if (packet.wantAck) this.answerClient('NONE', packet.id, packet.channel);
      else if (packet.wantResponse) this.answerClient('NO_RESPONSE', packet.id, packet.channel);
      return ERRNO.SHOULD_RELEASE;
    }
    if (lora.region === 'UNSET') return ERRNO.DISABLED;
    const ready = this.#withPki(packet);
    const error = this.#refusal(ready);
    if (error !== null) {
      this.answerClient(error, packet.id, packet.channel);
      return routingErrorNumber(error);
    }
    if (ready.wantAck) this.#expectAck(ready);
    return this.#enqueue(ready) ? ERRNO.OK : ERRNO.UNKNOWN;
  }

  /** Of all orders only that for a channel, which needs no restart (AdminModule::handleSetChannel). */
  #obey(payload: Uint8Array): void {
    const order = orderedChannel(payload);
    if (order !== null) this.#options.channels[order.index] = order.channel;
  }

  /** A text to one node whose key the device has goes out encrypted to that key, unless a channel was named. */
  #withPki(packet: DevicePacket): DevicePacket {
    if (packet.to === BROADCAST || packet.pkiEncrypted || packet.channel !== 0) return packet;
    const key = this.#keyOf(packet.to);
    return packet.portnum === TEXT_MESSAGE_APP && key !== null
      ? { ...packet, pkiEncrypted: true, publicKey: key }
      : packet;
  }

  #keyOf(num: number): Uint8Array | null {
    const node = this.#options.mesh.nodes.get(num);
    return node?.known ? node.user.publicKey : null;
  }

  /** Why the router will not send it, in the order the firmware asks. */
  #refusal(packet: DevicePacket): RoutingErrorName | null {
    if (this.#duty.exceeded) {
      const minutes = this.#duty.silentMinutes();
      this.notify(`Duty cycle limit exceeded. You can send again in ${minutes} mins`, packet.id);
      return 'DUTY_CYCLE_LIMIT';
    }
    if (packet.pkiEncrypted) {
      const key = this.#keyOf(packet.to);
      if (key === null) return 'PKI_SEND_FAIL_PUBLIC_KEY';
      if (packet.publicKey !== null && !Buffer.from(key).equals(packet.publicKey)) return 'PKI_FAILED';
    } else if ((this.#options.channels[packet.channel]?.role ?? 'disabled') === 'disabled') {
      return 'NO_CHANNEL';
    }
    return packetFrameBytes(packet) > MAX_LORA_FRAME_BYTES ? 'TOO_LARGE' : null;
  }

  #enqueue(packet: DevicePacket): boolean {
    const taken = this.#tx.enqueue(packet);
    if (taken) this.#pump();
    else this.#options.counters.queueFull += 1;
    return taken;
  }

  #pump(): void {
    const { clock, random } = this.#options;
    if (this.#cancelAir !== null || this.#tx.free === this.#tx.maxlen) return;
    const waitMs = Math.floor(random() * IDLE_SLOTS) * slotMs(this.#modem);
    this.#cancelAir = clock.after(waitMs, () => this.#transmit(), { background: true });
  }

  #transmit(): void {
    const wasFull = this.#tx.free === 0;
    const packet = this.#tx.dequeue();
    this.#cancelAir = null;
    if (packet === undefined) return;
    if (wasFull) this.pushStatus(ERRNO.OK, 0);
    const toaMs = airtimeMs(packetFrameBytes(packet), this.#modem);
    this.#cancelAir = this.#options.clock.after(toaMs, () => this.#sent(packet, toaMs), { background: true });
  }

  #sent(packet: DevicePacket, toaMs: number): void {
    this.#cancelAir = null;
    const { counters, mesh } = this.#options;
    if (this.#sentIds.has(packet.id)) counters.retransmitted += 1;
    else counters.transmitted += 1;
    this.#sentIds.add(packet.id);
    this.#duty.add(toaMs);
    // On air a broadcast does not ask for an acknowledgement: hearing it repeated is one.
    mesh.transmitted(packet.to === BROADCAST ? { ...packet, wantAck: false } : packet);
    this.#pump();
  }

  #expectAck(packet: DevicePacket): void {
    const pending: Pending = { packet, triesLeft: RELIABLE_TRIES - 1, cancel: () => undefined };
    this.#settle(packet.id);
    this.#pending.set(packet.id, pending);
    this.#armRetry(pending);
  }

  #armRetry(pending: Pending): void {
    const waitMs = ackTimeoutMs(packetFrameBytes(pending.packet), this.#modem);
    pending.cancel = this.#options.clock.after(waitMs, () => this.#retry(pending), { background: true });
  }

  #retry(pending: Pending): void {
    const { id, channel } = pending.packet;
    if (pending.triesLeft === 0) {
      this.#settle(id);
      this.answerClient('MAX_RETRANSMIT', id, channel);
      return;
    }
    pending.triesLeft -= 1;
    this.#enqueue(pending.packet);
    this.#armRetry(pending);
  }

  #settle(id: number): void {
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.cancel();
    this.#pending.delete(id);
    this.#tx.cancel(this.#options.nodeNum, id);
  }
}
