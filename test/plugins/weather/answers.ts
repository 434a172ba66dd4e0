import type { Json } from '../../../src/plugins/api.ts';

const hours = Array.from({ length: 72 }, (_, index) => {
  const day = 21 + Math.floor(index / 24);
  return `2026-11-${day}T${String(index % 24).padStart(2, '0')}:00`;
});

/** An answer of Open-Meteo: 14:15 on a Saturday; every hour is 0.25 degrees warmer than the one before. */
export const forecastAnswer: Json = {
  current_weather: { time: '2026-11-21T14:15', temperature: 12.25, weathercode: 2, is_day: 1, windspeed: 3 },
  hourly: {
    time: hours,
    temperature_2m: hours.map((_, index) => 10 + index * 0.25),
    precipitation_probability: hours.map((_, index) => index),
    weathercode: hours.map((_, index) => (index < 20 ? 61 : 0)),
    is_day: hours.map((_, index) => (index % 24 >= 7 && index % 24 < 17 ? 1 : 0)),
    relativehumidity_2m: hours.map(() => 64.5),
    windspeed_10m: hours.map(() => 10),
    winddirection_10m: hours.map(() => 270.4),
  },
  daily: {
    time: ['2026-11-21', '2026-11-22', '2026-11-23', '2026-11-24', '2026-11-25'],
    weathercode: [3, 95, null, 71, 45],
    temperature_2m_max: [8, 7.25, 6, 1, 0],
    temperature_2m_min: [2.5, 1, 0, -3, -4.45],
  },
};

export const marineAnswer: Json = {
  current: { time: '2026-11-21T14:15', wave_height: 1.2, wave_direction: 181, wave_period: 6 },
  hourly: {
    time: hours,
    wave_height: hours.map((_, index) => index / 10),
    wave_direction: hours.map(() => 90),
    wave_period: hours.map(() => 5.5),
  },
  daily: {
    time: ['2026-11-21', '2026-11-22'],
    wave_height_max: [1, 2.5],
    wave_direction_dominant: [10, 20],
    wave_period_max: [4, 5],
  },
};

/** Far from the sea. */
export const inlandAnswer: Json = { current: { time: '2026-11-21T14:15', wave_height: null } };
