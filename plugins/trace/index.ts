/** `!trace <node>`: the way to a node and back (traceroute). */

import { definePlugin, type MessageContext, type Packet } from '../../src/plugins/api.ts';
import { cutBytes, PACKET_BYTES } from '../shared/mesh-text.ts';
import { longDuration } from '../shared/when.ts';
import { type Route, routeLines } from './route.ts';

type Context = MessageContext<Readonly<Record<never, never>>, 'nodes' | 'sendPacket'>;

const description = 'Show the way to a node and back';
/** portnums.proto: TRACEROUTE_APP; an empty RouteDiscovery has no bytes. */
const TRACEROUTE_APP = 70;
/** The firmware lets one traceroute through in 30 s; each goes over the air twice per hop. */
const PAUSE_MS = 30_000;
const PATIENCE_MS = 60_000;

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default createTrace();

/** Who: the one trace plugin. Holds: who waits for which node's answer. Invariant: at most one traceroute is under way. */
export function createTrace() {
  const state: {
    lastAtMs: number;
    waiting: { readonly target: number; readonly done: (route: Route) => void } | null;
  } = {
    lastAtMs: Number.NEGATIVE_INFINITY,
    waiting: null,
  };

  async function trace(target: number, ctx: Context): Promise<readonly string[]> {
    const node = await ctx.nodes.find(target);
    const relay = await ctx.nodes.own(node?.radio);
    if (node === null || relay === null) throw ctx.fail('No such node, or the radio is not connected.');
    if (node.own) throw ctx.fail('That is the node of the relay itself.');
    const now = ctx.clock.now();
    const pauseMs = state.lastAtMs + PAUSE_MS - now;
    if (state.waiting !== null) throw ctx.fail('Another trace is under way: try again in a minute.');
    if (pauseMs > 0) throw ctx.fail(`The radio needs a pause: try again in ${longDuration(pauseMs)}.`);
    state.lastAtMs = now;
    const { promise, resolve } = Promise.withResolvers<Route | null>();
    state.waiting = { target, done: resolve };
    try {
      await ctx.sendPacket({
        radio: node.radio,
        to: target,
        portnum: TRACEROUTE_APP,
        payload: new Uint8Array(),
        wantResponse: true,
      });
      const route = await Promise.race([promise, ctx.clock.sleep(PATIENCE_MS).then(() => null)]);
      const name = node.shortName ?? node.id;
      if (route === null) throw ctx.fail(`${name} did not answer within a minute.`);
      const names = new Map((await ctx.nodes.list()).map(({ num, id, shortName }) => [num, shortName ?? id]));
      const nameOf = (num: number): string => names.get(num) ?? `!${num.toString(16).padStart(8, '0')}`;
      return routeLines(route, { relay, target, nameOf });
    } finally {
      state.waiting = null;
    }
  }

  return definePlugin({
    name: 'trace',
    version: '2.0.0',
    api: 1,
    description,
    needs: ['nodes', 'sendPacket'],
    commands: [
      {
        name: 'trace',
        description,
        help: 'Usage: !trace <node>\nOne at a time, one in 30 seconds.',
        args: { node: { type: 'node', description: 'Id or name of the node' } },
        async run(call, ctx) {
          const lines = await trace(Number(call.args.node), ctx);
          return { text: lines.join('\n'), short: cutBytes(lines.join(' | '), PACKET_BYTES) };
        },
      },
    ],
    onMeshPacket(packet: Packet) {
      const { decoded, direct, from } = packet;
      if (decoded?.kind === 'traceroute' && direct && from === state.waiting?.target) state.waiting.done(decoded);
    },
  });
}
