import { expect, it } from 'vitest';
import { createRadio } from '../../src/radio/radio.ts';
import { VirtualNode } from '../../src/radio/virtual-node/virtual-node.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { RecordingSink } from '../radio/radio-rig.ts';
import { TestClient } from '../radio/virtual-node/test-client.ts';
import { scaledClock } from '../support/scaled-clock.ts';
import { eventually } from './support/eventually.ts';
import { leavesNothingBehind, RECONNECTS } from './support/footprint.ts';
import { LONG_TEST_MS, RadioStage, relayUnderCuts } from './support/radio-stage.ts';
import { TcpCable } from './support/tcp-cable.ts';

/** Waits of half a minute pass in a tenth of a second. */
const BACKOFF_FACTOR = 300;

it('a radio over TCP: carries both ways through resets and silent half-open links (100 each with MMRELAY_E2E_FULL) without loss or copy', {
  timeout: LONG_TEST_MS,
  retry: 0,
}, async () => {
  const stage = await RadioStage.build();
  const cable = new TcpCable(stage.radio.port);
  try {
    stage.start({ kind: 'tcp', host: '127.0.0.1', port: await cable.listen() });
    await relayUnderCuts(stage, [
      { name: 'reset', begin: () => cable.cut(), end: () => cable.mend() },
      { name: 'half-open', isKnownToRadio: false, begin: () => cable.silence(), end: () => cable.mend() },
    ]);
    expect(stage.logs.some((line) => line.includes('no sign of life'))).toBe(true);
  } finally {
    // First, or the radio waits for the far end of a silent line.
    await cable.close();
    await stage.close();
  }
});

it(`a radio over TCP, shared: holds no listener, no handle and no memory more after ${RECONNECTS} reconnects`, {
  timeout: LONG_TEST_MS,
}, async () => {
  const clock = scaledClock(BACKOFF_FACTOR, Date.now());
  const device = await createVirtualRadio();
  const options = { name: 'main', clock, random: Math.random, logger: silentLogger };
  const radio = createRadio({ ...options, connect: { type: 'tcp', host: device.host, port: device.port } });
  const listen = { host: '127.0.0.1', port: 0 };
  const node = new VirtualNode({ ...options, listen, allowAdmin: [], webClients: [], radio, offer: () => true });
  try {
    await node.start();
    radio.start(new RecordingSink());
    const client = await TestClient.ready(node.port);
    await leavesNothingBehind('TCP reconnects with a client on the virtual node', async () => {
      const { connections } = device.counters;
      device.disconnect('reset');
      await eventually('the radio back', () =>
        device.counters.connections > connections && radio.state().status === 'ready' ? true : null,
      );
      const visitor = await TestClient.ready(node.port);
      visitor.socket.destroy();
      await eventually('the visitor gone', () => (node.clientCount === 1 ? true : null));
      client.forget();
    });
  } finally {
    await node.stop();
    await radio.stop();
    await device.close();
  }
});
