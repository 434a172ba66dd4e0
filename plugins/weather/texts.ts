/** From answers of Open-Meteo to one line of text, as mmrelay 1.x writes it. */

import type { Json } from '../../src/plugins/api.ts';
import { cutBytes, PACKET_BYTES } from '../shared/mesh-text.ts';
import { fixed } from '../shared/numbers.ts';
import { weatherWords } from './codes.ts';
import { hourIndex, numberAt, numberOf, objectOf, textsOf } from './json-read.ts';

export type Mode = 'weather' | 'hourly' | 'daily';
export type Units = 'metric' | 'imperial';

const HOURLY_SLOTS = [3, 6, 12] as const;
const DAYS = 5;
const UNAVAILABLE = 'Data unavailable';

/** What the old relay says when the answer makes no sense; not for the cache. */
export const NO_DATA = 'Weather data temporarily unavailable.';

interface Hours {
  readonly columns: ReturnType<typeof objectOf>;
  readonly base: number;
  readonly last: number;
}

function hoursOf(answer: Json, now: string, key: string): Hours {
  const columns = objectOf(answer, 'hourly');
  const column = columns?.[key];
  const last = Array.isArray(column) ? column.length - 1 : -1;
  return { columns, base: hourIndex(textsOf(columns, 'time'), now), last };
}

/** The forecast, at most one packet. @throws SyntaxError when it is no forecast */
export function forecastText(answer: Json, mode: Mode, units: Units): string {
  const current = objectOf(answer, 'current_weather');
  const code = numberOf(current, 'weathercode');
  const now = current?.time;
  if (current === null || code === null || typeof now !== 'string') throw new SyntaxError('no current weather in it');
  if (mode === 'daily') return cutBytes(dailyText(answer, units), PACKET_BYTES);
  const hours = hoursOf(answer, now, 'temperature_2m');
  if (hours.last < 0) return NO_DATA;
  const isDay = numberOf(current, 'is_day') !== 0;
  const temperature = numberOf(current, 'temperature');
  const head = `Now: ${weatherWords(code, isDay)} - ${temperature === null ? UNAVAILABLE : degrees(temperature, units)}`;
  const rest = mode === 'hourly' ? slots(hours, units, isDay) : details(hours, units);
  return cutBytes([head, ...rest].join(' | '), PACKET_BYTES);
}

function details({ columns, base, last }: Hours, units: Units): string[] {
  const at = Math.min(base, last);
  const humidity = numberAt(columns, 'relativehumidity_2m', at);
  const speed = numberAt(columns, 'windspeed_10m', at);
  const direction = numberAt(columns, 'winddirection_10m', at);
  const precipitation = numberAt(columns, 'precipitation_probability', at);
  const wind = [
    ...(speed === null ? [] : [units === 'imperial' ? `${fixed(speed * 0.621371, 1)}mph` : `${fixed(speed, 1)}km/h`]),
    ...(direction === null ? [] : [`${fixed(direction, 0)}°`]),
  ];
  return [
    ...(humidity === null ? [] : [`Humidity ${fixed(humidity, 0)}%`]),
    ...(wind.length === 0 ? [] : [`Wind ${wind.join(' ')}`]),
    ...(precipitation === null ? [] : [`Precip ${precipitation}%`]),
  ];
}

function slots({ columns, base, last }: Hours, units: Units, isDayNow: boolean): string[] {
  return HOURLY_SLOTS.map((hours) => {
    const at = Math.min(base + hours, last);
    const temperature = numberAt(columns, 'temperature_2m', at);
    const precipitation = numberAt(columns, 'precipitation_probability', at);
    const code = numberAt(columns, 'weathercode', at);
    if (temperature === null || precipitation === null || code === null) return `+${hours}h: ${UNAVAILABLE}`;
    const isDay = numberAt(columns, 'is_day', at) ?? Number(isDayNow);
    return `+${hours}h: ${weatherWords(code, isDay !== 0)} - ${degrees(temperature, units)} ${precipitation}%`;
  });
}

function dailyText(answer: Json, units: Units): string {
  const columns = objectOf(answer, 'daily');
  const days = textsOf(columns, 'time').slice(0, DAYS);
  if (days.length === 0) return NO_DATA;
  return days
    .map((day, index) => {
      const code = numberAt(columns, 'weathercode', index);
      const high = numberAt(columns, 'temperature_2m_max', index);
      const low = numberAt(columns, 'temperature_2m_min', index);
      if (code === null || high === null || low === null) return `${weekday(day)}: ${UNAVAILABLE}`;
      return `${weekday(day)}: ${weatherWords(code, true)} ${degrees(high, units)}/${degrees(low, units)}`;
    })
    .join(' | ');
}

/** English, three letters. */
function weekday(date: string): string {
  const day = new Date(`${date.slice(0, 10)}T00:00:00Z`).getUTCDay();
  return ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'][day] ?? '?';
}

function degrees(celsius: number, units: Units): string {
  return units === 'imperial' ? `${fixed((celsius * 9) / 5 + 32, 1)}°F` : `${fixed(celsius, 1)}°C`;
}

/** The waves, at most one packet; null far from the sea. */
export function marineText(answer: Json, mode: Mode, units: Units): string | null {
  const current = objectOf(answer, 'current');
  const now = typeof current?.time === 'string' ? current.time : '';
  const unit = units === 'imperial' ? 'ft' : 'm';
  const wave = (height: number | null, period: number | null, direction: number | null): string | null =>
    height === null
      ? null
      : `${fixed(height, 1)}${unit}${period === null ? '' : ` (${fixed(period, 1)}s)`}${direction === null ? '' : ` ${fixed(direction, 0)}°`}`;
  const parts: (readonly [label: string, wave: string | null])[] = [];
  if (mode === 'weather') {
    const height = numberOf(current, 'wave_height');
    parts.push(['', wave(height, numberOf(current, 'wave_period'), numberOf(current, 'wave_direction'))]);
  } else if (mode === 'hourly') {
    const { columns, base, last } = hoursOf(answer, now, 'wave_height');
    for (const hours of [0, ...HOURLY_SLOTS]) {
      const at = Math.min(base + hours, last);
      const [height, period, direction] = ['wave_height', 'wave_period', 'wave_direction'].map((key) =>
        numberAt(columns, key, at),
      );
      parts.push([hours === 0 ? 'Now: ' : `+${hours}h: `, wave(height ?? null, period ?? null, direction ?? null)]);
    }
  } else {
    const columns = objectOf(answer, 'daily');
    for (const [index, day] of textsOf(columns, 'time').slice(0, DAYS).entries()) {
      const [height, period, direction] = ['wave_height_max', 'wave_period_max', 'wave_direction_dominant'].map((key) =>
        numberAt(columns, key, index),
      );
      parts.push([`${weekday(day)}: `, wave(height ?? null, period ?? null, direction ?? null)]);
    }
  }
  if (parts.every(([, text]) => text === null)) return null;
  const written = parts.map(([label, text]) => `${label}${text ?? UNAVAILABLE}`);
  return cutBytes(`🌊 Waves ${written.join(' | ')}`, PACKET_BYTES);
}
