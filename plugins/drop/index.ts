/** `!drop <text>`: leave a text at your position for others who come by. */

import { type BaseContext, definePlugin, type Packet, type PluginContext } from '../../src/plugins/api.ts';
import { isPlace, type Place } from '../shared/geo.ts';
import { DROP_KEY, type DroppedText, dueFor, MAX_DROPS, readDrops, writeDrops } from './items.ts';

const configSchema = {
  radius_km: { type: 'number', default: 5, min: 0, max: 20_000, description: 'How near a node must come' },
  keep_days: { type: 'number', default: 30, min: 0, description: 'Forgotten after this time; 0: never' },
  per_node: { type: 'integer', default: 10, min: 1, max: MAX_DROPS, description: 'Texts one node may have waiting' },
} as const;

type Context = PluginContext<typeof configSchema, 'positions' | 'nodes' | 'store' | 'sendMesh'>;

const description = 'Leave a text at your position; nodes that come near get it as a direct message';
const DAY_S = 86_400;

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default createDrop();

/** Who: the one drop plugin. Holds: the texts that wait, as on disk. Invariant: a text leaves the disk after it is in the outbox. */
function createDrop() {
  const state: { drops: readonly DroppedText[] } = { drops: [] };

  async function leave(text: string, packet: Packet, ctx: Context): Promise<string> {
    if (text === '') throw ctx.fail('Usage: !drop <text>');
    const place = await placeOf(packet, ctx);
    if (place === null) throw ctx.fail('Not dropped: your position is not known to the relay.');
    const waiting = withoutOld(state.drops, ctx);
    if (waiting.filter(({ originator }) => originator === packet.fromId).length >= ctx.config.per_node)
      throw ctx.fail(`Not dropped: ${ctx.config.per_node} of your texts wait already.`);
    const dropped: DroppedText = {
      place,
      text,
      originator: packet.fromId,
      droppedAtS: Math.floor(ctx.clock.now() / 1000),
    };
    state.drops = [...waiting, dropped].slice(-MAX_DROPS);
    try {
      await ctx.store.set(DROP_KEY, writeDrops(state.drops));
    } catch (error) {
      state.drops = state.drops.filter((one) => one !== dropped);
      throw error;
    }
    const days = ctx.config.keep_days;
    return `Dropped for nodes within ${ctx.config.radius_km} km${days > 0 ? `, for ${days} days` : ''}.`;
  }

  async function deliver(packet: Packet, ctx: Context): Promise<void> {
    if (state.drops.length === 0) return;
    const place = await placeOf(packet, ctx);
    if (place === null) return;
    const visitor = { id: packet.fromId, place, radiusKm: ctx.config.radius_km };
    const due = dueFor(withoutOld(state.drops, ctx), visitor);
    if (due.length === 0 || (await ctx.nodes.own(packet.radio)) === packet.from) return;
    for (const drop of due) {
      // Another packet of the same node may have come in the meantime.
      if (!state.drops.includes(drop)) continue;
      state.drops = state.drops.filter((one) => one !== drop);
      try {
        await ctx.sendMesh({ text: drop.text, to: packet.from, radio: packet.radio });
      } catch (error) {
        state.drops = [...state.drops, drop];
        throw error;
      }
      await ctx.store.set(DROP_KEY, writeDrops(state.drops));
    }
  }

  return definePlugin({
    name: 'drop',
    version: '2.0.0',
    api: 1,
    description,
    configSchema,
    needs: ['positions', 'nodes', 'store', 'sendMesh'],
    commands: [
      {
        name: 'drop',
        description,
        help: 'Usage: !drop <text>',
        on: ['mesh'],
        anywhere: true,
        async run(call, ctx) {
          if (call.from.kind !== 'mesh') return undefined;
          return { text: await leave(call.argText, call.from.message.packet, ctx), private: true };
        },
      },
    ],
    async start(ctx) {
      state.drops = readDrops(await ctx.store.get(DROP_KEY));
    },
    onMeshPacket: deliver,
  });
}

function withoutOld(drops: readonly DroppedText[], ctx: BaseContext<typeof configSchema>): readonly DroppedText[] {
  const { keep_days: days } = ctx.config;
  if (days === 0) return drops;
  const oldestS = ctx.clock.now() / 1000 - days * DAY_S;
  return drops.filter(({ droppedAtS }) => droppedAtS === null || droppedAtS >= oldestS);
}

async function placeOf(packet: Packet, ctx: Context): Promise<Place | null> {
  const place = packet.decoded?.kind === 'position' ? packet.decoded : await ctx.positions.of(packet.from);
  return place !== null && isPlace(place) ? place : null;
}
