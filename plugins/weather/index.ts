/** `!weather`, `!hourly`, `!daily` `[place or lat,lon]`. */

import {
  type CommandCall,
  type ConfigOf,
  definePlugin,
  type Json,
  type MessageContext,
  type Reply,
} from '../../src/plugins/api.ts';
import { isPlace, meanPlace, type Place } from '../shared/geo.ts';
import { PACKET_BYTES, utf8Length } from '../shared/mesh-text.ts';
import { configSchema } from './config.ts';
import { askForecast, askMarine, findPlace, parsePlace } from './service.ts';
import { forecastText, type Mode, marineText, type Units } from './texts.ts';

type Config = ConfigOf<typeof configSchema>;
type Context = MessageContext<typeof configSchema, 'positions' | 'http'>;

const description = 'Show weather forecast for a radio node using GPS location';
const MODES = ['weather', 'hourly', 'daily'] as const;

// biome-ignore lint/style/noDefaultExport: a plugin is the default export of its file
export default definePlugin({
  name: 'weather',
  version: '2.0.0',
  api: 1,
  description,
  configSchema,
  needs: ['positions', 'http'],
  httpHosts: ({ forecast_url, geocoding_url, marine_url }) =>
    [forecast_url, geocoding_url, marine_url].filter((url) => URL.canParse(url)).map((url) => new URL(url).host),
  commands: (config) =>
    MODES.map((mode) => ({
      name: mode,
      aliases: aliasesOf(config, mode),
      description,
      help: `Usage: !${mode} [place or lat,lon]`,
      run: (call: CommandCall, ctx: Context) => answer(call, mode, ctx),
    })),
  start(ctx) {
    for (const [alias, target] of Object.entries(ctx.config.command_aliases)) {
      if (!MODES.some((mode) => mode === target))
        ctx.logger.warn('Alias of an unknown command', { alias, target, commands: MODES.join(', ') });
    }
  },
});

function aliasesOf(config: Config, mode: Mode): string[] {
  return Object.entries(config.command_aliases).flatMap(([alias, target]) =>
    target === mode ? [alias.toLowerCase().replace(/^!/, '')] : [],
  );
}

async function answer(call: CommandCall, mode: Mode, ctx: Context): Promise<Reply | string> {
  const place = await locate(call, ctx);
  if (place === null) throw ctx.fail('Cannot determine location');
  const units: Units = ctx.config.units ?? ctx.units;
  const [forecast, marine] = await Promise.all([
    forecastOf(place, mode, { units, ctx }),
    marineOf(place, mode, { units, ctx }),
  ]);
  if (marine === null) return forecast;
  const both = `${forecast} | ${marine}`;
  if (call.from.kind === 'room' || utf8Length(both) <= PACKET_BYTES) return both;
  await ctx.reply(forecast);
  return marine;
}

interface Question {
  readonly units: Units;
  readonly ctx: Context;
}

async function forecastOf(place: Place, mode: Mode, { units, ctx }: Question): Promise<string> {
  const answer: Json = await askForecast(ctx.http, ctx.config.forecast_url, { place, mode }).catch((error: unknown) => {
    ctx.logger.warn('No answer of the weather service', { reason: String(error) });
    throw ctx.fail('Error fetching weather data.');
  });
  try {
    return forecastText(answer, mode, units);
  } catch (error) {
    ctx.logger.warn('The weather service sent no forecast', { reason: String(error) });
    throw ctx.fail('Error parsing weather data.');
  }
}

/** Waves are an extra: without them the forecast is still an answer. */
async function marineOf(place: Place, mode: Mode, { units, ctx }: Question): Promise<string | null> {
  if (!ctx.config.marine) return null;
  try {
    return marineText(await askMarine(ctx.http, ctx.config.marine_url, { place, mode, units }), mode, units);
  } catch (error) {
    ctx.logger.debug('No waves', { reason: String(error) });
    return null;
  }
}

/** The place asked for, else where the sender is, else the middle of the mesh. A place that is not found is nowhere. */
async function locate(call: CommandCall, ctx: Context): Promise<Place | null> {
  if (call.argText !== '') {
    const given = parsePlace(call.argText);
    if (given !== null) return given;
    return findPlace(ctx.http, ctx.config.geocoding_url, call.argText).catch((error: unknown) => {
      ctx.logger.warn('No answer of the geocoding service', { reason: String(error) });
      return null;
    });
  }
  if (call.from.kind === 'mesh') {
    const here = await ctx.positions.of(call.from.message.packet.from);
    if (here !== null && isPlace(here)) return here;
  }
  return meanPlace([...(await ctx.positions.all()).values()].filter(isPlace));
}
