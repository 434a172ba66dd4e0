/** Questions to Open-Meteo, or to a server that answers like it. */

import type { Capabilities, Json } from '../../src/plugins/api.ts';
import type { Place } from '../shared/geo.ts';
import { isNumber } from '../shared/numbers.ts';
import type { Mode, Units } from './texts.ts';

const TEN_MINUTES_MS = 600_000;
const DAY_MS = 86_400_000;
const TIMEOUT_MS = 10_000;

type Http = Capabilities['http'];
type Query = Readonly<Record<string, string | number>>;

/** @throws Error when there is no answer, SyntaxError when it is not JSON */
async function ask(
  http: Http,
  url: string,
  request: { readonly query: Query; readonly cacheMs: number },
): Promise<Json> {
  const options = { ...request, timeoutMs: TIMEOUT_MS };
  // A connection that fails is tried once more; a server that says no is believed.
  const answer = await http.get(url, options).catch(() => http.get(url, options));
  if (answer.status !== 200) throw new Error(`the weather service answered ${answer.status}`);
  return answer.json();
}

/** Two decimals are a kilometre: enough for the weather, and nobody learns where exactly a node is. */
function placeQuery({ latitude, longitude }: Place): Query {
  return { latitude: latitude.toFixed(2), longitude: longitude.toFixed(2) };
}

export function askForecast(
  http: Http,
  url: string,
  options: { readonly place: Place; readonly mode: Mode },
): Promise<Json> {
  const query = {
    ...placeQuery(options.place),
    hourly:
      'temperature_2m,precipitation_probability,weathercode,is_day,relativehumidity_2m,windspeed_10m,winddirection_10m',
    daily: 'weathercode,temperature_2m_max,temperature_2m_min',
    forecast_days: options.mode === 'daily' ? 5 : 3,
    timezone: 'auto',
    current_weather: 'true',
  };
  return ask(http, url, { query, cacheMs: TEN_MINUTES_MS });
}

export function askMarine(
  http: Http,
  url: string,
  options: { readonly place: Place; readonly mode: Mode; readonly units: Units },
): Promise<Json> {
  const waves = 'wave_height,wave_direction,wave_period';
  const byMode: Readonly<Record<Mode, Query>> = {
    weather: { current: waves },
    hourly: { hourly: waves, current: 'wave_height' },
    daily: { daily: 'wave_height_max,wave_direction_dominant,wave_period_max', forecast_days: 5 },
  };
  const query = { ...placeQuery(options.place), ...byMode[options.mode], timezone: 'auto', length_unit: options.units };
  return ask(http, url, { query, cacheMs: TEN_MINUTES_MS });
}

/** The first place of that name; null when there is none. */
export async function findPlace(http: Http, url: string, name: string): Promise<Place | null> {
  const answer = await ask(http, url, { query: { name, count: 1, format: 'json' }, cacheMs: DAY_MS });
  const results = typeof answer === 'object' && answer !== null && 'results' in answer ? answer.results : null;
  const first = Array.isArray(results) ? (results as readonly Json[])[0] : null;
  if (typeof first !== 'object' || first === null || !('latitude' in first) || !('longitude' in first)) return null;
  const { latitude, longitude } = first;
  return isNumber(latitude) && isNumber(longitude) ? { latitude, longitude } : null;
}

/** `52.5,13.4` or `52.5 13.4`; null for anything else. */
export function parsePlace(text: string): Place | null {
  const match = /^([+-]?\d+(?:\.\d+)?)(?:\s*,\s*|\s+)([+-]?\d+(?:\.\d+)?)$/.exec(text.trim());
  if (match === null) return null;
  const [latitude, longitude] = [Number(match[1]), Number(match[2])];
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : null;
}
