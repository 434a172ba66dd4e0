import { createRadio } from '../../src/radio/radio.ts';
import type { SharedRadio } from '../../src/radio/radio-tap.ts';
import type {
  ClientNotification,
  MeshNode,
  MeshPacket,
  OutgoingPacket,
  QueueStatus,
  RadioInfo,
  RadioSink,
  RadioState,
  RoutingResult,
} from '../../src/relay/ports.ts';
import type { LogFields } from '../../src/util/logger.ts';
import { ManualClock, settle } from '../../src/util/manual-clock.ts';
import { loggerTo } from '../support/logger-to.ts';
import { type Script, ScriptedPeer } from './scripted-peer.ts';

/** A sink that remembers everything, in order. */
export class RecordingSink implements RadioSink {
  readonly states: RadioState[] = [];
  readonly infos: RadioInfo[] = [];
  readonly nodes: MeshNode[] = [];
  readonly packets: MeshPacket[] = [];
  readonly queue: QueueStatus[] = [];
  readonly routing: RoutingResult[] = [];
  readonly notifications: ClientNotification[] = [];
  /** Around each commit; a test may look in. */
  together: (work: () => void) => void = (work) => work();
  /** Thrown by onPacket while set. */
  refusal: Error | null = null;
  calls = 0;

  onState(state: RadioState): void {
    this.calls += 1;
    this.states.push(state);
  }
  onInfo(info: RadioInfo): void {
    this.calls += 1;
    this.infos.push(info);
  }
  onNode(node: MeshNode): void {
    this.calls += 1;
    this.nodes.push(node);
  }
  onPacket(packet: MeshPacket): void {
    this.calls += 1;
    if (this.refusal !== null) throw this.refusal;
    this.packets.push(packet);
  }
  onQueueStatus(status: QueueStatus): void {
    this.calls += 1;
    this.queue.push(status);
  }
  onRouting(result: RoutingResult): void {
    this.calls += 1;
    this.routing.push(result);
  }
  onNotification(notification: ClientNotification): void {
    this.calls += 1;
    this.notifications.push(notification);
  }

  statuses(): string[] {
    return this.states.map(({ status }) => status);
  }

  texts(): string[] {
    return this.packets.map(({ payload }) => new TextDecoder().decode(payload));
  }
}

export interface RadioRig {
  readonly radio: SharedRadio;
  readonly peer: ScriptedPeer;
  readonly sink: RecordingSink;
  readonly clock: ManualClock;
  readonly logs: { readonly message: string; readonly fields: LogFields }[];
}

/** A radio against a scripted peer, not started. */
export function prepareRadio(script: Partial<Script> = {}): RadioRig {
  const clock = new ManualClock();
  const peer = new ScriptedPeer(script);
  const sink = new RecordingSink();
  const logs: { message: string; fields: LogFields }[] = [];
  const logger = loggerTo((message, fields) => logs.push({ message, fields }));
  const radio = createRadio({
    name: 'main',
    connect: { type: 'custom', transports: peer.factory },
    clock,
    random: () => 0.5,
    logger,
  });
  return { radio, peer, sink, clock, logs };
}

/** The same, started; the handshake, if the script allows one, is done. */
export async function startRadio(script: Partial<Script> = {}): Promise<RadioRig> {
  const rig = prepareRadio(script);
  rig.radio.start(rig.sink);
  await settle();
  return rig;
}

export function textPacket(id: number, text = 'hello'): OutgoingPacket {
  return {
    id,
    to: 0xffffffff,
    channel: 0,
    portnum: 1,
    payload: new TextEncoder().encode(text),
    replyId: 0,
    emoji: 0,
    wantAck: true,
    wantResponse: false,
    hopLimit: null,
    publicKey: null,
  };
}
