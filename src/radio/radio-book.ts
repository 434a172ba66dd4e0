import type { LoraSettings, MeshNode, MeshPacket, RadioChannel, RadioInfo } from '../relay/ports.ts';
import type { FromRadioMessage } from './codec/from-radio.ts';
import { heardNode } from './codec/heard-node.ts';

/** Far above any node database of the firmware (250); entries it forgot leave in order of their age. */
const MAX_NODES = 2_000;
const DEFAULT_HOP_LIMIT = 3;

type Told = Extract<FromRadioMessage, { kind: 'channel' }>;
type Metadata = Extract<FromRadioMessage, { kind: 'metadata' }>;

/**
 * What we know of one radio, kept across connections. One per radio.
 * Invariant: everything in it belongs to the node `nodeNum`; another node at the same address starts a new book.
 */
export class RadioBook {
  #nodeNum: number | null = null;
  #bootCount = 0;
  #metadata: Metadata | null = null;
  #lora: LoraSettings | null = null;
  #isPowerSaving = false;
  readonly #channels = new Map<number, Told>();
  readonly #nodes = new Map<number, MeshNode>();

  /** Takes in what the radio says of itself and its nodes; other kinds are ignored. */
  apply(message: FromRadioMessage): void {
    switch (message.kind) {
      case 'my-info':
        if (this.#nodeNum !== null && this.#nodeNum !== message.nodeNum) this.#clear();
        this.#nodeNum = message.nodeNum;
        this.#bootCount = message.bootCount;
        return;
      case 'metadata':
        this.#metadata = message;
        return;
      case 'lora':
        this.#lora = message.lora;
        return;
      case 'power':
        this.#isPowerSaving = message.isPowerSaving;
        return;
      case 'channel':
        this.#channels.set(message.channel.index, message);
        return;
      case 'node':
        this.#putNode(message.node);
        return;
      default:
        return;
    }
  }

  /** What a packet tells about its sender; the changed node when names, position or metrics are new, else null. */
  hear(packet: MeshPacket): MeshNode | null {
    if (packet.from === 0) return null;
    const known = this.#nodes.get(packet.from) ?? null;
    const { node, isNews } = heardNode(known, packet);
    if (known === null && !isNews) return null;
    this.#putNode(node);
    return isNews ? node : null;
  }

  info(): RadioInfo | null {
    if (this.#nodeNum === null) return null;
    return {
      nodeNum: this.#nodeNum,
      bootCount: this.#bootCount,
      firmwareVersion: this.#metadata?.firmwareVersion ?? null,
      hwModel: this.#metadata?.hwModel ?? null,
      hasPkc: this.#metadata?.hasPkc ?? false,
      lora: this.#lora,
      channels: this.#channelList(),
    };
  }

  get nodeNum(): number | null {
    return this.#nodeNum;
  }

  get hopLimit(): number {
    return this.#lora?.hopLimit ?? DEFAULT_HOP_LIMIT;
  }

  get isPowerSaving(): boolean {
    return this.#isPowerSaving;
  }

  nodes(): ReadonlyMap<number, MeshNode> {
    return this.#nodes;
  }

  #channelList(): readonly RadioChannel[] {
    const told = [...this.#channels.values()].sort((a, b) => a.channel.index - b.channel.index);
    const primary = told.find(({ channel }) => channel.role === 'primary')?.channel;
    return told.map(({ channel, borrowsKey }) =>
      borrowsKey ? { ...channel, keyId: primary?.keyId ?? null } : channel,
    );
  }

  #putNode(node: MeshNode): void {
    this.#nodes.delete(node.num);
    this.#nodes.set(node.num, node);
    const oldest = this.#nodes.keys().next();
    if (this.#nodes.size > MAX_NODES && oldest.done !== true) this.#nodes.delete(oldest.value);
  }

  #clear(): void {
    this.#metadata = null;
    this.#lora = null;
    this.#isPowerSaving = false;
    this.#channels.clear();
    this.#nodes.clear();
  }
}
