import { expect, it } from 'vitest';
import health from '../../../plugins/health/index.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';

const metrics = (batteryLevel: number | null, airUtilTx: number | null = null) => ({
  batteryLevel,
  airUtilTx,
  voltage: null,
  channelUtilization: null,
  uptimeS: null,
});

it('writes the lines of mmrelay 1.x; external power is no level', async () => {
  const tester = testPlugin(health, {
    nodes: [{ num: 1, snr: 6.25 }, { num: 2, snr: -3 }, { num: 3, snr: 1.5 }, { num: 4 }],
    telemetry: { 1: metrics(90, 1.125), 2: metrics(9, 0.5), 3: metrics(101, 3) },
  });
  const { replies, reactions } = await tester.room('!health');
  expect(replies[0]?.text).toBe(
    'Nodes: 4\n Battery: 49.5% / 49.5% (avg / median)\n Nodes with Low Battery (<= 10%): 1\n' +
      ' Air Util: 1.54 / 1.12 (avg / median)\n SNR: 1.58 / 1.50 (avg / median)',
  );
  expect(replies[0]?.short).toBe('Nodes 4 | bat 50% (1 low) | air 1.5% | SNR 1.6');
  expect(reactions).toEqual(['✅']);
});

it('says N/A for what nobody told', async () => {
  const tester = testPlugin(health, { nodes: [{ num: 1, snr: 4 }] });
  expect((await tester.room('!health')).replies[0]?.text).toBe(
    'Nodes: 1\n Battery: N/A\n Nodes with Low Battery (<= 10%): 0\n Air Util: N/A\n SNR: 4.00 / 4.00 (avg / median)',
  );
});

it('knows meshes without metrics and without nodes', async () => {
  const silent = testPlugin(health, { nodes: [{ num: 1 }, { num: 2 }] });
  expect((await silent.room('!health')).replies[0]?.text).toBe('Nodes: 2\nNo nodes with health metrics found.');
  expect((await testPlugin(health).room('!health')).replies[0]?.text).toBe('No nodes discovered yet.');
});
