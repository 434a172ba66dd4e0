import { describe, expect, it } from 'vitest';
import { weatherWords } from '../../../plugins/weather/codes.ts';
import weather from '../../../plugins/weather/index.ts';
import type { Json, Position } from '../../../src/plugins/api.ts';
import { TEST_ALICE_NODE, type TestWorld, testPlugin } from '../../../src/plugins/testing.ts';
import { forecastAnswer, inlandAnswer, marineAnswer } from './answers.ts';

const at = (latitude: number, longitude: number): Position => ({
  latitude,
  longitude,
  altitudeM: null,
  timeS: 0,
  precisionBits: 32,
});

interface Web {
  readonly forecast?: Json;
  readonly marine?: Json;
  readonly places?: Json;
}

/** A plugin and the addresses it asked. */
function world(web: Web = {}, more: TestWorld = {}) {
  const asked: URL[] = [];
  const tester = testPlugin(weather, {
    positions: { [TEST_ALICE_NODE]: at(52.5163, 13.3777) },
    ...more,
    http(url) {
      asked.push(url);
      if (url.host.startsWith('geocoding'))
        return { body: web.places ?? { results: [{ latitude: 51.5, longitude: -0.12 }] } };
      if (url.host.startsWith('marine')) return { body: web.marine ?? inlandAnswer };
      return { body: web.forecast ?? forecastAnswer };
    },
  });
  return { tester, asked };
}

const textOf = async (text: string, web: Web = {}, more: TestWorld = {}): Promise<string | undefined> =>
  (await world(web, more).tester.room(text)).replies[0]?.text;

describe('texts', () => {
  it.each([
    ['!weather', {}, 'Now: ⛅️ Partly cloudy - 12.2°C | Humidity 64% | Wind 10.0km/h 270° | Precip 14%'],
    [
      '!weather',
      { units: 'imperial' },
      'Now: ⛅️ Partly cloudy - 54.0°F | Humidity 64% | Wind 6.2mph 270° | Precip 14%',
    ],
    [
      '!hourly',
      {},
      'Now: ⛅️ Partly cloudy - 12.2°C | +3h: 🌧️ Light rain - 14.2°C 17% | +6h: 🌙 Clear sky - 15.0°C 20% | +12h: 🌙 Clear sky - 16.5°C 26%',
    ],
    [
      '!daily',
      {},
      'Sat: ☁️ Overcast 8.0°C/2.5°C | Sun: ⛈️ Thunderstorm 7.2°C/1.0°C | Mon: Data unavailable | ' +
        'Tue: ❄️ Light snow fall 1.0°C/-3.0°C | Wed: 🌫️ Fog 0.0°C/-4.5°C',
    ],
  ])('%s %j', async (command, config, expected) => {
    expect(await textOf(command, {}, { config: { ...config } })).toBe(expected);
  });

  it.each([
    ['!weather', '🌊 Waves 1.2m (6.0s) 181°'],
    ['!hourly', '🌊 Waves Now: 1.4m (5.5s) 90° | +3h: 1.7m (5.5s) 90° | +6h: 2.0m (5.5s) 90° | +12h: 2.6m (5.5s) 90°'],
    ['!daily', '🌊 Waves Sat: 1.0m (4.0s) 10° | Sun: 2.5m (5.0s) 20°'],
  ])('%s by the sea', async (command, waves) => {
    expect(await textOf(command, { marine: marineAnswer })).toMatch(
      new RegExp(` \\| ${waves.replace(/[()+|]/g, '\\$&')}$`),
    );
  });

  it('leaves out what is missing', async () => {
    const forecast = {
      current_weather: { time: '2026-11-21T14:15', temperature: null, weathercode: 0, is_day: 0 },
      hourly: { time: ['2026-11-21T14:00'], temperature_2m: [1] },
    };
    expect(await textOf('!weather', { forecast })).toBe('Now: 🌙 Clear sky - Data unavailable');
    expect(await textOf('!hourly', { forecast })).toBe(
      'Now: 🌙 Clear sky - Data unavailable | +3h: Data unavailable | +6h: Data unavailable | +12h: Data unavailable',
    );
  });

  it('has words for every code', () => {
    expect([0, 0, 75, 99, 1234].map((code, index) => weatherWords(code, index !== 1))).toEqual([
      '☀️ Clear sky',
      '🌙 Clear sky',
      '❄️ Heavy snow fall',
      '⛈️ Thunderstorm with heavy hail',
      '❓ Unknown',
    ]);
  });
});

describe('where', () => {
  const placeOf = ({ searchParams }: URL): string => `${searchParams.get('latitude')},${searchParams.get('longitude')}`;

  it.each([
    ['!weather 40.7128,-74.006', '40.71,-74.01'],
    ['!weather -33.9 151.2', '-33.90,151.20'],
    ['!weather London', '51.50,-0.12'],
    ['!weather', '52.52,13.38'],
  ])('%s asks for %s', async (text, expected) => {
    const { tester, asked } = world();
    await tester.mesh(text);
    expect(asked.filter(({ host }) => host.startsWith('api.')).map(placeOf)).toEqual([expected]);
  });

  it('takes the middle of the mesh in a room, also across the date line', async () => {
    const { tester, asked } = world({}, { positions: { 1: at(10, 179), 2: at(20, -177), 3: at(0, 0) } });
    await tester.room('!weather');
    expect(asked.map(placeOf)).toContain('15.00,-179.00');
  });

  it('does not take another place for one that is not found', async () => {
    const { replies, reactions } = await world({ places: {} }).tester.room('!weather Atlantis');
    expect([replies[0]?.text, reactions]).toEqual(['Cannot determine location', ['❌']]);
    expect(await textOf('!weather', {}, { positions: {} })).toBe('Cannot determine location');
  });
});

describe('on the mesh', () => {
  it('puts waves into the same packet when they fit, else into a second one', async () => {
    const one = await world({ marine: marineAnswer }).tester.mesh('!weather');
    expect(one.replies.map(({ text }) => text)).toEqual([expect.stringMatching(/^Now: .* \| 🌊 Waves /)]);
    const two = await world({ marine: marineAnswer }).tester.mesh('!hourly');
    expect(two.replies.map(({ text }) => text)).toEqual([
      expect.stringMatching(/^Now:/),
      expect.stringMatching(/^🌊 Waves Now/),
    ]);
    expect(two.replies.every(({ text }) => Buffer.byteLength(text) <= 200)).toBe(true);
  });

  it('answers to other names, in any case', async () => {
    const { tester } = world({}, { config: { command_aliases: { Wetter: 'weather', x: 'nothing' } } });
    await tester.start();
    expect((await tester.mesh('!WETTER')).replies).toHaveLength(1);
    expect(tester.log).toMatchObject([{ level: 'warn', fields: { alias: 'x' } }]);
  });
});

describe('trouble', () => {
  const failing = (body: () => Json) =>
    testPlugin(weather, {
      http: (url) => (url.host.startsWith('api.') ? { body: body() } : { status: 500, body: '' }),
    });

  it('says that the service cannot be reached, after a second try', async () => {
    let tries = 0;
    const tester = failing(() => {
      tries += 1;
      throw new Error('no route');
    });
    expect((await tester.room('!weather 1,2')).replies[0]?.text).toBe('Error fetching weather data.');
    expect(tries).toBe(2);
  });

  it('says that the answer makes no sense', async () => {
    expect((await failing(() => ({})).room('!weather 1,2')).replies[0]?.text).toBe('Error parsing weather data.');
    const noHours = { current_weather: { time: 'T', temperature: 1, weathercode: 1, is_day: 1 } };
    expect((await failing(() => noHours).room('!weather 1,2')).replies[0]?.text).toBe(
      'Weather data temporarily unavailable.',
    );
  });

  it('asks once in ten minutes for one place', async () => {
    const { tester, asked } = world({}, { config: { marine: false } });
    await tester.room('!weather 1,2');
    await tester.room('!weather 1.001,2');
    expect(asked).toHaveLength(1);
    await tester.clock.advance(600_001);
    await tester.room('!weather 1,2');
    expect(asked).toHaveLength(2);
  });
});
