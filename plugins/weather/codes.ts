/** WMO weather codes in words, as mmrelay 1.x writes them. */

const BY_DAY_AND_NIGHT: Readonly<Record<number, readonly [day: string, night: string]>> = {
  0: ['☀️ Clear sky', '🌙 Clear sky'],
  1: ['🌤️ Mainly clear', '🌙🌤️ Mainly clear'],
  2: ['⛅️ Partly cloudy', '🌙⛅️ Partly cloudy'],
  3: ['☁️ Overcast', '🌙☁️ Overcast'],
  45: ['🌫️ Fog', '🌙🌫️ Fog'],
  48: ['🌫️ Depositing rime fog', '🌙🌫️ Depositing rime fog'],
};

const ALWAYS: Readonly<Record<number, string>> = {
  51: '🌧️ Light drizzle',
  53: '🌧️ Moderate drizzle',
  55: '🌧️ Dense drizzle',
  56: '🌧️ Light freezing drizzle',
  57: '🌧️ Dense freezing drizzle',
  61: '🌧️ Light rain',
  63: '🌧️ Moderate rain',
  65: '🌧️ Heavy rain',
  66: '🌧️ Light freezing rain',
  67: '🌧️ Heavy freezing rain',
  71: '❄️ Light snow fall',
  73: '❄️ Moderate snow fall',
  75: '❄️ Heavy snow fall',
  77: '❄️ Snow grains',
  80: '🌧️ Light rain showers',
  81: '🌧️ Moderate rain showers',
  82: '🌧️ Violent rain showers',
  85: '❄️ Light snow showers',
  86: '❄️ Heavy snow showers',
  95: '⛈️ Thunderstorm',
  96: '⛈️ Thunderstorm with slight hail',
  99: '⛈️ Thunderstorm with heavy hail',
};

export function weatherWords(code: number, isDay: boolean): string {
  const both = BY_DAY_AND_NIGHT[code];
  return both === undefined ? (ALWAYS[code] ?? '❓ Unknown') : both[isDay ? 0 : 1];
}
