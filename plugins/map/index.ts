/** `!map`: where the nodes are, as a picture in rooms and in words on the mesh. */

import { type BaseContext, type ConfigOf, definePlugin, type PluginContext } from '../../src/plugins/api.ts';
import { isPlace } from '../shared/geo.ts';
import { Turns } from '../shared/turns.ts';
import { configSchema } from './config.ts';
import { type MapNode, precisionRadiusM } from './map-node.ts';
import { describeNearby } from './nearby.ts';
import { MAP_USAGE, type MapOptions, parseMapOptions } from './options.ts';

const DAY_S = 86_400;
/** Closest view of several nodes, and of a single one, where the configuration sets no `zoom`. */
const CLOSE_ZOOM = 15;
const SINGLE_ZOOM = 12;
const MARGIN_PX = 70;

type Config = ConfigOf<typeof configSchema>;
type Context = PluginContext<typeof configSchema, 'nodes' | 'positions' | 'http' | 'files'>;

function createMap() {
  const turns = new Turns();
  return definePlugin({
    name: 'map',
    version: '2.0.0',
    api: 1,
    description: 'Map of mesh radio nodes. Supports `zoom` and `size` options to customize',
    configSchema,
    needs: ['nodes', 'positions', 'http', 'files'],
    httpHosts: (config) => tileHosts(config.tile_url),
    commands: [
      {
        name: 'map',
        description: 'Map of mesh radio nodes. Supports `zoom` and `size` options to customize',
        help: `${MAP_USAGE}\nOn the mesh: distance and direction of the nodes around you.`,
        async run(call, ctx) {
          const nodes = await locatedNodes(ctx);
          if (call.from.kind === 'mesh') return nearbyOf(call.from.message.packet.from, nodes, ctx);
          const { zoom, image_width: width, image_height: height } = ctx.config;
          const options = parseMapOptions(call.argText, { zoom: null, width, height });
          if (options === null) throw ctx.fail(MAP_USAGE);
          const maxZoom = zoom ?? (nodes.length > 1 ? CLOSE_ZOOM : SINGLE_ZOOM);
          return turns.take(() => draw(nodes, { ...options, maxZoom }, ctx));
        },
      },
    ],
  });
}

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default createMap();

function tileHosts(url: string): string[] {
  const example = url.replaceAll('{s}', 'a');
  if (!URL.canParse(example)) return [];
  const { host } = new URL(example);
  return url.includes('{s}') ? ['a', 'b', 'c'].map((server) => host.replace(/^a(?=\.)/, server)) : [host];
}

/** The ones heard last come first. */
async function locatedNodes(ctx: Context): Promise<(MapNode & { readonly num: number })[]> {
  const [nodes, positions, own] = await Promise.all([ctx.nodes.list(), ctx.positions.all(), ctx.nodes.own()]);
  if (own === null && nodes.length === 0) throw ctx.fail('Cannot generate map: Meshtastic client unavailable.');
  const dayAgoS = ctx.clock.now() / 1000 - DAY_S;
  const located = [...nodes]
    .sort((a, b) => b.lastHeardS - a.lastHeardS || a.num - b.num)
    .flatMap((node) => {
      const position = positions.get(node.num);
      if (position === undefined || !isPlace(position)) return [];
      const { latitude, longitude, precisionBits } = position;
      const fresh = node.own || node.lastHeardS >= dayAgoS;
      const shortName = node.shortName ?? node.id.slice(-4);
      const radiusM = precisionRadiusM(precisionBits);
      return [{ num: node.num, id: node.id, shortName, fresh, latitude, longitude, radiusM }];
    });
  if (located.length === 0) throw ctx.fail('Cannot generate map: No nodes with location data found.');
  return located;
}

function nearbyOf(asker: number, nodes: readonly (MapNode & { readonly num: number })[], ctx: BaseContext): string {
  const here = nodes.find(({ num }) => num === asker);
  if (here === undefined) throw ctx.fail('Your position is not known to the relay.');
  const others = nodes.filter(({ num }) => num !== asker);
  return others.length === 0 ? 'No other node with a known position.' : describeNearby(here, others);
}

/** The drawing parts are loaded when the first map is asked for. */
async function draw(nodes: readonly MapNode[], options: MapOptions & { readonly maxZoom: number }, ctx: Context) {
  const { mapPicture } = await import('./picture.ts');
  const { config } = ctx;
  return mapPicture(nodes, {
    ...options,
    margin: Math.min(MARGIN_PX, options.width / 5),
    now: new Date(ctx.clock.now()),
    timeZone: ctx.timeZone,
    tiles: config.tile_url === '' ? null : tileSettings(config, ctx),
  });
}

function tileSettings(config: Config, ctx: Context) {
  const userAgent = config.tile_user_agent;
  const headers = userAgent === null ? {} : { 'user-agent': userAgent };
  return {
    url: config.tile_url,
    credit: config.tile_attribution,
    folder: () => ctx.files.folder(),
    maxBytes: config.tile_cache_mb * 1_000_000,
    nowMs: () => ctx.clock.now(),
    fetch: (url: string) => ctx.http.get(url, { headers, timeoutMs: 8000, maxBytes: 1_000_000 }),
    onTrouble: (reason: string) => ctx.logger.warn('Map tiles could not be fetched', { reason }),
  };
}
