import type { Packet } from '../../src/plugins/api.ts';
import { isPlace, type Place } from '../shared/geo.ts';
import type { DropContext } from './context.ts';
import { DROP_KEY, type DroppedText, dueFor, MAX_DROPS, readDrops, writeDrops } from './items.ts';

const DAY_S = 86_400;

/**
 * The texts that wait for somebody to come by. One per drop plugin. Holds what is on disk.
 * Invariant: a text leaves the disk after it is in the outbox.
 */
export class DropBox {
  #drops: readonly DroppedText[] = [];

  async load(ctx: DropContext): Promise<void> {
    this.#drops = readDrops(await ctx.store.get(DROP_KEY));
  }

  /** @returns the answer to the one who drops. @throws Error of `ctx.fail` when nothing was taken */
  async leave(text: string, packet: Packet, ctx: DropContext): Promise<string> {
    if (text === '') throw ctx.fail('Usage: !drop <text>');
    const place = await placeOf(packet, ctx);
    if (place === null) throw ctx.fail('Not dropped: your position is not known to the relay.');
    const waiting = withoutOld(this.#drops, ctx);
    const { per_node: most, radius_km: radius, keep_days: days } = ctx.config;
    if (waiting.filter(({ originator }) => originator === packet.fromId).length >= most)
      throw ctx.fail(`Not dropped: ${most} of your texts wait already.`);
    const droppedAtS = Math.floor(ctx.clock.now() / 1000);
    const dropped: DroppedText = { place, text, originator: packet.fromId, droppedAtS };
    this.#drops = [...waiting, dropped].slice(-MAX_DROPS);
    try {
      await this.#save(ctx);
    } catch (error) {
      this.#drops = this.#drops.filter((one) => one !== dropped);
      throw error;
    }
    return `Dropped for nodes within ${radius} km${days > 0 ? `, for ${days} days` : ''}.`;
  }

  /** Hands over what lies near the sender of this packet. */
  async deliver(packet: Packet, ctx: DropContext): Promise<void> {
    if (this.#drops.length === 0) return;
    const place = await placeOf(packet, ctx);
    if (place === null) return;
    const visitor = { id: packet.fromId, place, radiusKm: ctx.config.radius_km };
    const due = dueFor(withoutOld(this.#drops, ctx), visitor);
    if (due.length === 0 || (await ctx.nodes.own(packet.radio)) === packet.from) return;
    for (const drop of due) await this.#handOver(drop, packet, ctx);
  }

  async #handOver(drop: DroppedText, { from, radio }: Packet, ctx: DropContext): Promise<void> {
    // Another packet of the same node may have come in the meantime.
    if (!this.#drops.includes(drop)) return;
    this.#drops = this.#drops.filter((one) => one !== drop);
    try {
      await ctx.sendMesh({ text: drop.text, to: from, radio });
    } catch (error) {
      this.#drops = [...this.#drops, drop];
      throw error;
    }
    await this.#save(ctx);
  }

  async #save(ctx: DropContext): Promise<void> {
    await ctx.store.set(DROP_KEY, writeDrops(this.#drops));
  }
}

function withoutOld(drops: readonly DroppedText[], ctx: DropContext): readonly DroppedText[] {
  const { keep_days: days } = ctx.config;
  if (days === 0) return drops;
  const oldestS = ctx.clock.now() / 1000 - days * DAY_S;
  return drops.filter(({ droppedAtS }) => droppedAtS === null || droppedAtS >= oldestS);
}

async function placeOf(packet: Packet, ctx: DropContext): Promise<Place | null> {
  const place = packet.decoded?.kind === 'position' ? packet.decoded : await ctx.positions.of(packet.from);
  return place !== null && isPlace(place) ? place : null;
}
