import { describe, expect, it } from 'vitest';
import telemetry from '../../../plugins/telemetry/index.ts';
import type { Decoded, Json, Packet } from '../../../src/plugins/api.ts';
import { type TestWorld, testPlugin } from '../../../src/plugins/testing.ts';
import { expectPicture } from '../png.ts';

const NOW_S = Date.UTC(2026, 10, 21, 12, 20) / 1000;
const HOUR_S = 3600;

const world = (store: Readonly<Record<string, Json>> = {}): TestWorld => ({
  nowMs: NOW_S * 1000,
  timeZone: 'Europe/Berlin',
  nodes: [{ num: 1, shortName: 'ALFA' }],
  store,
});

/** A record as mmrelay 1.x stored it. */
const old = (hoursAgo: number, batteryLevel: number | null, voltage: number | null = null): Json => ({
  time: NOW_S - hoursAgo * HOUR_S,
  batteryLevel,
  voltage,
  airUtilTx: null,
});

const device = (values: object, timeS = NOW_S): Partial<Packet> => ({
  portName: 'TELEMETRY_APP',
  portnum: 67,
  decoded: {
    kind: 'telemetry',
    timeS,
    environment: null,
    device: { batteryLevel: null, voltage: null, channelUtilization: null, airUtilTx: null, uptimeS: null, ...values },
  } satisfies Decoded,
});

describe('records', () => {
  it('are kept in the form of the old relay, with more keys where there is more', async () => {
    const tester = testPlugin(telemetry, world({ '!0a11ce01': [old(1, 80, 4)] }));
    await tester.packet(device({ batteryLevel: 79, voltage: Math.fround(4.012), channelUtilization: 12.5 }));
    await tester.packet({
      decoded: {
        kind: 'telemetry',
        timeS: 0,
        device: null,
        environment: { temperatureC: 21.5, humidityPercent: null, pressureHpa: 1013.25 },
      },
      rxTimeS: NOW_S + 5,
    });
    expect(tester.store.get('!0a11ce01')).toEqual([
      old(1, 80, 4),
      { time: NOW_S, batteryLevel: 79, voltage: 4.012, airUtilTx: null, channelUtilization: 12.5 },
      { time: NOW_S + 5, batteryLevel: null, voltage: null, airUtilTx: null, temperature: 21.5, pressure: 1013.25 },
    ]);
  });

  it('are forgotten after eight days, and thinned out when there are very many', async () => {
    const tester = testPlugin(telemetry, world({ '!0a11ce01': [old(200, 1)], '!00000002': [old(200, 1)] }));
    for (let index = 0; index < 900; index += 1) await tester.packet(device({ batteryLevel: 50 }, NOW_S - 900 + index));
    const kept = tester.store.get('!0a11ce01') as { readonly time: number }[];
    expect(kept.length).toBeLessThanOrEqual(400);
    expect([kept[0]!.time < NOW_S - 700, kept.at(-1)!.time]).toEqual([true, NOW_S - 1]);
    await tester.job('prune');
    expect([...tester.store.keys()]).toEqual(['!0a11ce01']);
  });

  it('come from telemetry only', async () => {
    const tester = testPlugin(telemetry, world());
    await tester.packet({ decoded: { kind: 'text', text: 'x' } });
    await tester.packet({ decoded: { kind: 'telemetry', timeS: 1, device: null, environment: null } });
    expect(tester.store.size).toBe(0);
  });
});

describe('charts', () => {
  it('of the mesh: old rows, a gap, external power as full', async () => {
    const rows = [0.5, 1.5, 2.5, 3.5, 7.5, 8.5, 9.5].map((ago) => old(ago, Math.round(90 - ago * 4)));
    const tester = testPlugin(telemetry, world({ '!00000001': rows, '!00000002': [old(1.5, 101), old(2.5, 60)] }));
    const { replies, reactions } = await tester.room('!BATTERYLEVEL');
    const { text, short, image } = replies[0]!;
    expect(text).toBe('Network Hourly batteryLevel Averages, last 12 h: latest 88 %, lowest 52 %, highest 100 %');
    expect(short).toBe('Network batteryLevel last 12 h: latest 88 %, lowest 52 %, highest 100 %');
    expect(image).toMatchObject({ fileName: 'graph.png', mimeType: 'image/png', width: 1000, height: 560 });
    expect(reactions).toEqual(['✅']);
    expectPicture(image!.data, 'chart-battery');
  });

  it('of one node over a week', async () => {
    const rows = Array.from({ length: 7 * 24 }, (_, hour) => ({
      time: NOW_S - hour * HOUR_S,
      temperature: 4 + 6 * Math.cos((hour / 12) * Math.PI) - hour / 40,
    }));
    const { text, image } = (await testPlugin(telemetry, world({ '!00000001': rows })).room('!temperature alfa 7d'))
      .replies[0]!;
    expect(text).toMatch(/^alfa 3-Hourly temperature Averages, last 7 days: latest 9\.\d °C/);
    expectPicture(image!.data, 'chart-temperature-week');
  });

  it('in the units people count in', async () => {
    const store = { '!00000001': [{ time: NOW_S, temperature: 21 }] };
    const { replies } = await testPlugin(telemetry, { ...world(store), units: 'imperial' }).mesh('!temperature');
    expect(replies[0]?.short).toBe('Network temperature last 12 h: latest 69.8 °F, lowest 69.8 °F, highest 69.8 °F');
  });

  it('without data', async () => {
    const { text, image } = (await testPlugin(telemetry, world()).room('!airUtilTx 24h')).replies[0]!;
    expect(text).toBe('Network Hourly airUtilTx Averages, last 24 h: no data');
    expectPicture(image!.data, 'chart-empty');
  });

  it('of a node nobody heard of', async () => {
    const { replies, reactions } = await testPlugin(telemetry, world()).room('!voltage !deadbeef');
    expect([replies[0]?.text, reactions]).toEqual(["No telemetry data found for node '!deadbeef'.", ['❌']]);
  });

  it('are one packet of text on the mesh', async () => {
    const rows = [{ time: NOW_S, pressure: 1013.2 }];
    const { replies } = await testPlugin(telemetry, world({ '!00000001': rows })).mesh('!pressure !00000001');
    expect(replies[0]?.short).toBe('!00000001 pressure last 12 h: latest 1013 hPa, lowest 1013 hPa, highest 1013 hPa');
  });
});
