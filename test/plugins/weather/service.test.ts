import { createServer } from 'node:http';
import { afterAll, expect, it } from 'vitest';
import { askForecast, askMarine, findPlace } from '../../../plugins/weather/service.ts';
import { limitedFetch } from '../../../src/plugins/runtime/fetch.ts';
import { HttpClient } from '../../../src/plugins/runtime/http.ts';
import { closeHttp, listen } from '../../support/listen.ts';
import { forecastAnswer } from './answers.ts';

const asked: string[] = [];
const server = createServer((request, response) => {
  asked.push(`${request.headers['user-agent']} ${request.url}`);
  const found = { results: [{ latitude: 48.2, longitude: 16.4 }] };
  response.end(JSON.stringify(request.url?.startsWith('/search') ? found : forecastAnswer));
});

afterAll(() => closeHttp(server));

it('asks a server of its own over HTTP', async () => {
  const base = `http://127.0.0.1:${await listen(server)}`;
  const http = new HttpClient({ hosts: ['127.0.0.1'], userAgent: 'test/1', fetch: limitedFetch, now: () => 0 });
  const place = await findPlace(http, `${base}/search`, 'Wien & Umgebung');
  expect(place).toEqual({ latitude: 48.2, longitude: 16.4 });
  expect(await askForecast(http, `${base}/v1/forecast`, { place: place!, mode: 'daily' })).toEqual(forecastAnswer);
  await askMarine(http, `${base}/v1/marine`, { place: place!, mode: 'hourly', units: 'imperial' });
  expect(asked).toEqual([
    'test/1 /search?name=Wien+%26+Umgebung&count=1&format=json',
    'test/1 /v1/forecast?latitude=48.20&longitude=16.40&hourly=temperature_2m%2Cprecipitation_probability%2Cweathercode%2Cis_day%2Crelativehumidity_2m%2Cwindspeed_10m%2Cwinddirection_10m&daily=weathercode%2Ctemperature_2m_max%2Ctemperature_2m_min&forecast_days=5&timezone=auto&current_weather=true',
    'test/1 /v1/marine?latitude=48.20&longitude=16.40&hourly=wave_height%2Cwave_direction%2Cwave_period&current=wave_height&timezone=auto&length_unit=imperial',
  ]);
});
