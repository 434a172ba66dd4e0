/** Keeps the telemetry of the mesh and draws it: `!batteryLevel`, `!voltage`, ... `[node] [24h|7d]`. */

import { type CommandCall, definePlugin, type Packet, type PluginContext, type Reply } from '../../src/plugins/api.ts';
import { cutBytes, PACKET_BYTES } from '../shared/mesh-text.ts';
import { Turns } from '../shared/turns.ts';
import { binRecords, type Series } from './bins.ts';
import { inUnits, METRICS } from './metrics.ts';
import { freshRecords, readRecords, recordOf, type TelemetryRecord, withRecord } from './records.ts';
import { type ChartRequest, parseRequest } from './request.ts';
import { summary } from './summary.ts';

type Context = PluginContext<Readonly<Record<never, never>>, 'nodes' | 'store'>;

const HOUR_MS = 3_600_000;

function createTelemetry() {
  const turns = new Turns();
  return definePlugin({
    name: 'telemetry',
    version: '2.0.0',
    api: 1,
    description: 'Graph of avg Mesh telemetry value for last 12 hours',
    needs: ['nodes', 'store'],
    commands: METRICS.map((metric) => ({
      name: metric.key,
      description: 'Graph of avg Mesh telemetry value for last 12 hours',
      help: `Usage: !${metric.key} [node] [24h|7d]\n${metric.label} of one node or of the mesh; 12 hours unless told.`,
      run: (call: CommandCall, ctx: Context) => turns.take(() => chartOf(metric, parseRequest(call.argText), ctx)),
    })),
    schedule: [{ name: 'prune', every: '6h', run: prune }],
    onMeshPacket: record,
  });
}

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default createTelemetry();

async function record(packet: Packet, ctx: Context): Promise<void> {
  if (packet.decoded?.kind !== 'telemetry') return;
  const entry = recordOf(packet.decoded, packet.rxTimeS);
  if (entry === null) return;
  const nowS = ctx.clock.now() / 1000;
  await ctx.store.update(packet.fromId, (stored) => withRecord(stored, entry, nowS));
}

/** Forgets what no chart can show any more. */
async function prune(ctx: Context): Promise<void> {
  const nowS = ctx.clock.now() / 1000;
  for (const key of (await ctx.store.all()).keys()) await ctx.store.update(key, (stored) => freshRecords(stored, nowS));
}

async function chartOf(asked: (typeof METRICS)[number], request: ChartRequest, ctx: Context): Promise<Reply> {
  const { records, name } = await recordsOf(request.node, ctx);
  const metric = inUnits(asked, ctx.units);
  const series = binRecords(records, metric, { nowMs: ctx.clock.now(), spanMs: request.spanMs });
  const title = `${name} ${paceOf(series)} ${metric.key} Averages`;
  // The drawing parts are loaded when the first chart is asked for.
  const { chartPicture } = await import('./picture.ts');
  const figures = summary(
    metric,
    series.bins.filter((bin) => bin !== null),
  );
  const text = `${title}, ${spanText(request.spanMs)}: ${figures}`;
  const image = await chartPicture({ title, metric, series, timeZone: ctx.timeZone });
  return {
    text,
    short: cutBytes(`${name} ${metric.key} ${spanText(request.spanMs)}: ${figures}`, PACKET_BYTES),
    image,
  };
}

function paceOf({ binMs }: Series): string {
  return binMs === HOUR_MS ? 'Hourly' : `${binMs / HOUR_MS}-Hourly`;
}

function spanText(spanMs: number): string {
  const hours = spanMs / HOUR_MS;
  return hours > 48 && hours % 24 === 0 ? `last ${hours / 24} days` : `last ${hours} h`;
}

async function recordsOf(
  node: string,
  ctx: Context,
): Promise<{ readonly name: string; readonly records: readonly TelemetryRecord[] }> {
  if (node === '') return { name: 'Network', records: [...(await ctx.store.all()).values()].flatMap(readRecords) };
  const found = await ctx.nodes.find(node);
  const records = readRecords(await ctx.store.get(found?.id ?? node));
  if (records.length === 0) throw ctx.fail(`No telemetry data found for node '${node}'.`);
  return { name: node, records };
}
