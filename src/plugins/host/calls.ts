import { mkdirSync } from 'node:fs';
import type { Clock } from '../../util/clock.ts';
import { sleep } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { RelayError } from '../../util/relay-error.ts';
import type { CommandInfo, MeshOutput, Need, NodeInfo, Reply, RoomOutput } from '../api.ts';
import type { HostCall, StoreChange } from '../protocol.ts';
import { type PluginLimits, TokenBucket } from './limits.ts';
import type { InboundMessage, PluginSpec, PluginStoreAccess, RelayAccess } from './types.ts';

export interface HostCallOptions {
  readonly spec: PluginSpec;
  readonly relay: RelayAccess;
  readonly store: PluginStoreAccess;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly limits: PluginLimits;
  readonly commands: () => readonly CommandInfo[];
  /** The message behind a job; null when it is over. */
  readonly inbound: (job: number) => InboundMessage | null;
  readonly onClaim: (job: number) => void;
  /** null before the plugin told. */
  readonly needs: () => readonly Need[] | null;
}

const STORE_WAIT_MS = 100;

/**
 * Answers what a plugin asks of the relay: the only door, with the declared needs and the limits checked on this side.
 * One per plugin; outlives its restarts, so that dying does not fill the buckets.
 */
export class HostCalls {
  readonly #options: HostCallOptions;
  readonly #mesh: TokenBucket;
  readonly #rooms: TokenBucket;
  readonly #writes: TokenBucket;
  readonly #logLines: TokenBucket;

  constructor(options: HostCallOptions) {
    this.#options = options;
    const { limits, clock } = options;
    this.#mesh = new TokenBucket(limits.mesh, clock);
    this.#rooms = new TokenBucket(limits.rooms, clock);
    this.#writes = new TokenBucket(limits.writes, clock);
    this.#logLines = new TokenBucket(limits.logLines, clock);
  }

  /** @throws RelayError PLUGIN_NEED for a need that was not declared, PLUGIN_RATE, PLUGIN_QUOTA, or the relay's own */
  async answer(call: HostCall): Promise<unknown> {
    this.#checkNeed(call.op);
    switch (call.op) {
      case 'claim':
        this.#options.onClaim(call.job);
        return null;
      case 'reply':
        return this.#reply(call.job, call.reply);
      case 'react':
        return this.#react(call.job, call.emoji);
      case 'sendMesh':
        return this.#sendMesh(call.output);
      case 'sendPacket':
        this.#take(this.#mesh, 'packets');
        return this.#options.relay.sendPacket(call.output, this.#options.spec.name);
      case 'sendRoom':
        return this.#sendRoom(call.output);
      case 'log':
        return this.#log(call);
      default:
        return call.op.startsWith('store.') ? this.#store(call) : this.#lookUp(call);
    }
  }

  #checkNeed(op: HostCall['op']): void {
    const need = op.split('.')[0] ?? op;
    if (FREE_CALLS.has(need)) return;
    const declared = this.#options.needs();
    // Before the manifest is here the runtime's own check stands alone: `start` may already call.
    if (declared !== null && !declared.some((name) => name === need))
      throw new RelayError('PLUGIN_NEED', `The plugin did not declare the need "${need}"`);
  }

  #take(bucket: TokenBucket, what: string): void {
    if (!bucket.take())
      throw new RelayError('PLUGIN_RATE', `The plugin sends too many ${what}; wait before the next one`);
  }

  #sendMesh(output: MeshOutput): void {
    this.#take(this.#mesh, 'mesh messages');
    this.#options.relay.sendMesh(output, this.#options.spec.name);
  }

  async #sendRoom(output: RoomOutput): Promise<void> {
    this.#take(this.#rooms, 'room messages');
    await this.#options.relay.sendRoom(output, this.#options.spec.name);
  }

  async #reply(job: number, reply: Reply): Promise<void> {
    const inbound = this.#inbound(job);
    if (inbound.kind === 'mesh') this.#sendMesh(meshReply(inbound.packet, reply));
    else await this.#sendRoom(roomReply(inbound.message.room, reply));
  }

  async #react(job: number, emoji: string): Promise<void> {
    const inbound = this.#inbound(job);
    if (inbound.kind === 'room') {
      const { room, eventId } = inbound.message;
      await this.#sendRoom({ room, reaction: emoji, eventId });
    } else if (inbound.packet.id !== 0) this.#sendMesh({ ...meshReply(inbound.packet, { text: emoji }), emoji: true });
  }

  #inbound(job: number): InboundMessage {
    const inbound = this.#options.inbound(job);
    if (inbound === null) throw new RelayError('PLUGIN_JOB_OVER', 'The message this answers is over');
    return inbound;
  }

  #log({ level, message, fields }: Extract<HostCall, { op: 'log' }>): null {
    if (this.#logLines.take()) this.#options.logger[level](message, fields);
    return null;
  }

  #lookUp(call: HostCall): unknown {
    const { relay, spec } = this.#options;
    switch (call.op) {
      case 'resolveNode':
        return findNode(relay.nodes(), call.which)?.num ?? null;
      case 'nodes.list':
        return relay.nodes();
      case 'nodes.find':
        return findNode(relay.nodes(), call.which);
      case 'nodes.own':
        return relay.ownNode(call.radio);
      case 'positions.all':
        return relay.positions();
      case 'positions.of':
        return relay.positions().get(call.num) ?? null;
      case 'telemetry.all':
        return relay.telemetry();
      case 'status.get':
        return relay.status();
      case 'radios.release':
        return relay.releaseRadio(call.radio, call.forMs);
      case 'radios.claim':
        return relay.claimRadio(call.radio);
      case 'plugins.commands':
        return this.#options.commands();
      case 'rooms.list':
        return relay.rooms();
      case 'files.folder':
        mkdirSync(spec.dataFolder, { recursive: true, mode: 0o700 });
        return spec.dataFolder;
      default:
        throw new RelayError('PLUGIN_CALL', 'The relay does not know this call');
    }
  }

  async #store(call: HostCall): Promise<unknown> {
    const { store, spec, limits, clock } = this.#options;
    const { pluginData } = store;
    const quotaBytes = limits.storeBytes;
    if (call.op === 'store.get') return pluginData.get(spec.name, call.key);
    if (call.op === 'store.all') return pluginData.all(spec.name);
    if (call.op === 'store.usedBytes') return pluginData.usedBytes(spec.name);
    // A plugin that writes without end waits; the disk belongs to everybody.
    while (!this.#writes.take()) await sleep(clock, STORE_WAIT_MS);
    switch (call.op) {
      case 'store.set':
        return pluginData.set(spec.name, call.key, call.value, quotaBytes);
      case 'store.append':
        return pluginData.append(spec.name, call.key, call.item, { keepNewest: call.keepNewest, quotaBytes });
      case 'store.delete':
        return pluginData.delete(spec.name, call.key);
      case 'store.batch':
        return store.transaction(() => {
          for (const change of call.changes) this.#change(change);
        });
      default:
        throw new RelayError('PLUGIN_CALL', 'The relay does not know this call');
    }
  }

  #change(change: StoreChange): void {
    const { store, spec, limits } = this.#options;
    if ('set' in change) store.pluginData.set(spec.name, change.set, change.value, limits.storeBytes);
    else store.pluginData.delete(spec.name, change.delete);
  }
}

/** Calls that need no declaration: answering the message at hand, and the runtime's own. */
const FREE_CALLS: ReadonlySet<string> = new Set(['claim', 'reply', 'react', 'log', 'resolveNode']);

function meshReply(packet: Extract<InboundMessage, { kind: 'mesh' }>['packet'], reply: Reply): MeshOutput {
  const text = reply.short ?? reply.text;
  const toSender = packet.direct || reply.private === true;
  const { radio, channel, id: replyId } = packet;
  return { radio, channel, replyId, text, ...(toSender ? { to: packet.from } : {}) };
}

function roomReply(room: string, { text, markdown, image }: Reply): RoomOutput {
  if (image !== undefined) return { room, image, text };
  return { room, text, markdown: markdown === true };
}

/** By number, `!id`, then long or short name whatever the case; null for none. */
function findNode(nodes: readonly NodeInfo[], which: number | string): NodeInfo | null {
  const wanted = String(which).trim().toLowerCase();
  const tests: ((node: NodeInfo) => boolean)[] = [
    ({ num }) => num === which || String(num) === wanted,
    ({ id }) => id === wanted || id === `!${wanted}`,
    ({ shortName }) => shortName?.toLowerCase() === wanted,
    ({ longName }) => longName?.toLowerCase() === wanted,
  ];
  for (const test of tests) {
    const found = nodes.find(test);
    if (found !== undefined) return found;
  }
  return null;
}
