import {
  type ConfigSlot,
  configSlot,
  nodeFrameAfter,
  withNodeCount,
  withoutPrivateKey,
} from '../codec/config-frames.ts';
import { encodeConfigComplete } from '../codec/device-frames.ts';
import type { FromRadioMessage } from '../codec/from-radio.ts';
import { NONCE_CONFIG_ONLY, NONCE_NODES_ONLY } from '../codec/to-radio.ts';

/** Far above any node database of the firmware; those not heard of for longest leave. */
const MAX_NODES = 2_000;
/** What comes between who it is and the own node, and after that, in the firmware's order. */
const HEAD: readonly ConfigSlot['group'][] = ['ui'];
const BODY: readonly ConfigSlot['group'][] = ['metadata', 'channel', 'config', 'module'];
const TAIL: readonly ConfigSlot['group'][] = ['file'];

/**
 * What the radio last said of itself and its nodes, frame by frame as it came. One per virtual node.
 * Invariants: everything in it belongs to one node number; `isComplete` only between a whole handshake and the next
 * restart of the radio, so that nobody is given a half-told configuration.
 */
export class ConfigCache {
  readonly #groups = new Map<ConfigSlot['group'], Map<string, Uint8Array>>();
  readonly #nodes = new Map<number, Uint8Array>();
  #ownNum = 0;
  /** Frames without content since the last my_info: firmware counts its modules further than it fills them. */
  #blanks = 0;
  #isComplete = false;

  get isComplete(): boolean {
    return this.#isComplete;
  }

  get ownNum(): number {
    return this.#ownNum;
  }

  /** Takes in one frame of the radio. */
  note(payload: Uint8Array, message: FromRadioMessage): void {
    switch (message.kind) {
      case 'packet':
        if (message.packet.from !== 0) {
          this.#putNode(
            message.packet.from,
            nodeFrameAfter(this.#nodes.get(message.packet.from) ?? null, message.packet),
          );
        }
        return;
      case 'node':
        this.#putNode(message.node.num, payload);
        return;
      case 'rebooted':
        this.#isComplete = false;
        return;
      case 'config-complete':
        this.#isComplete ||= this.#ownNum !== 0 && message.nonce !== NONCE_NODES_ONLY;
        return;
      case 'my-info':
        if (message.nodeNum !== this.#ownNum) this.#clear();
        this.#ownNum = message.nodeNum;
        this.#blanks = 0;
        break;
      default:
    }
    const slot = configSlot(payload);
    if (slot === null) return;
    const group = this.#groups.get(slot.group) ?? new Map<string, Uint8Array>();
    if (slot.group === 'module' && slot.key === '') this.#blanks += 1;
    group.set(slot.key === '' ? `#${this.#blanks}` : slot.key, payload);
    this.#groups.set(slot.group, group);
  }

  /**
   * The answer to want_config: 69420 leaves the other nodes out, 69421 is nodes only, any other nonce is everything.
   * Only whom the radio obeys gets its private key.
   */
  frames(nonce: number, reader: { readonly isAdmin: boolean }): readonly Uint8Array[] {
    const own = this.#nodes.get(this.#ownNum);
    const ownFrames = own === undefined ? [] : [own];
    const others = nonce === NONCE_CONFIG_ONLY ? [] : this.#others();
    const complete = encodeConfigComplete(nonce);
    if (nonce === NONCE_NODES_ONLY) return [...ownFrames, ...others, complete];
    const body = reader.isAdmin ? this.#in(BODY) : this.#in(BODY).map(withoutPrivateKey);
    const who = this.#in(['my-info']).map((frame) => withNodeCount(frame, this.#nodes.size));
    return [...who, ...this.#in(HEAD), ...ownFrames, ...body, ...others, ...this.#in(TAIL), complete];
  }

  #others(): readonly Uint8Array[] {
    return [...this.#nodes].filter(([num]) => num !== this.#ownNum).map(([, frame]) => frame);
  }

  #in(groups: readonly ConfigSlot['group'][]): readonly Uint8Array[] {
    return groups.flatMap((group) => [...(this.#groups.get(group)?.values() ?? [])]);
  }

  #putNode(num: number, frame: Uint8Array): void {
    this.#nodes.delete(num);
    this.#nodes.set(num, frame);
    const oldest = this.#nodes.keys().next();
    if (this.#nodes.size > MAX_NODES && oldest.done !== true) this.#nodes.delete(oldest.value);
  }

  #clear(): void {
    this.#groups.clear();
    this.#nodes.clear();
    this.#isComplete = false;
  }
}
