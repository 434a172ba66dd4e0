import type { Packet, PluginContext } from '../../src/plugins/api.ts';
import { longDuration } from '../shared/when.ts';
import { type Route, routeLines } from './route.ts';

type Context = PluginContext<Readonly<Record<never, never>>, 'nodes' | 'sendPacket'>;

/** portnums.proto: TRACEROUTE_APP; an empty RouteDiscovery has no bytes. */
const TRACEROUTE_APP = 70;
/** The firmware lets one traceroute through in 30 s; each goes over the air twice per hop. */
const PAUSE_MS = 30_000;
const PATIENCE_MS = 60_000;

/**
 * Asks for ways and waits for the answers. One per trace plugin. Holds who waits for which node.
 * Invariant: at most one traceroute is under way.
 */
export class Tracer {
  #lastAtMs = Number.NEGATIVE_INFINITY;
  #waiting: { readonly target: number; readonly done: (route: Route) => void } | null = null;

  /** The way there and back, a line each. @throws Error of `ctx.fail` when there is none, or not now */
  async trace(target: number, ctx: Context): Promise<readonly string[]> {
    const node = await ctx.nodes.find(target);
    const relay = await ctx.nodes.own(node?.radio);
    if (node === null || relay === null) throw ctx.fail('No such node, or the radio is not connected.');
    if (node.own) throw ctx.fail('That is the node of the relay itself.');
    const route = await this.#ask(target, node.radio, ctx);
    if (route === null) throw ctx.fail(`${node.shortName ?? node.id} did not answer within a minute.`);
    const names = new Map((await ctx.nodes.list()).map(({ num, id, shortName }) => [num, shortName ?? id]));
    const nameOf = (num: number): string => names.get(num) ?? `!${num.toString(16).padStart(8, '0')}`;
    return routeLines(route, { relay, target, nameOf });
  }

  async #ask(target: number, radio: string, ctx: Context): Promise<Route | null> {
    if (this.#waiting !== null) throw ctx.fail('Another trace is under way: try again in a minute.');
    const pauseMs = this.#lastAtMs + PAUSE_MS - ctx.clock.now();
    if (pauseMs > 0) throw ctx.fail(`The radio needs a pause: try again in ${longDuration(pauseMs)}.`);
    this.#lastAtMs = ctx.clock.now();
    const { promise, resolve } = Promise.withResolvers<Route | null>();
    this.#waiting = { target, done: resolve };
    try {
      const payload = new Uint8Array();
      await ctx.sendPacket({ radio, to: target, portnum: TRACEROUTE_APP, payload, wantResponse: true });
      return await Promise.race([promise, ctx.clock.sleep(PATIENCE_MS).then(() => null)]);
    } finally {
      this.#waiting = null;
    }
  }

  heard({ decoded, direct, from }: Packet): void {
    if (decoded?.kind === 'traceroute' && direct && from === this.#waiting?.target) this.#waiting.done(decoded);
  }
}
