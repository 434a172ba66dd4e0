import { setTimeout as delay } from 'node:timers/promises';
import { TestClient } from '../radio/virtual-node/test-client.ts';
import type { Measure } from './measures.ts';
import { quantile } from './process-stats.ts';
import { arrived, buildRig, NODE, type Rig, type RigOptions, until } from './rig.ts';

const TEXTS = 200;
const CLIENTS = 3;
const PAUSE_MS = 20;

/**
 * What sharing the radio costs: a text from the radio to a client of the virtual node (a client on the radio itself
 * would have it in well under a millisecond), and a text to Matrix without and with three clients.
 */
export async function measureVirtualNode(options: RigOptions, port: number): Promise<readonly Measure[]> {
  const rig = await buildRig({ ...options, config: { virtual_node: { listen: `127.0.0.1:${port}` } } });
  const clients: TestClient[] = [];
  try {
    rig.daemon.start();
    await rig.daemon.ready();
    await until(() => rig.radio.connected, 10_000, 'the link to the radio');
    const alone = await timed(rig, () => arrived(rig));
    for (let n = 0; n < CLIENTS; n += 1) clients.push(await TestClient.ready(port));
    const shared = await timed(rig, () => arrived(rig));
    const toClient = await timed(rig, () => clients[0]?.texts().length ?? 0);
    const added = quantile(shared, 0.5) - quantile(alone, 0.5);
    const reached = quantile(toClient, 0.5);
    return [
      { name: 'radio to a client of the virtual node, p50', value: reached, unit: 'ms', goal: '< 5', met: reached < 5 },
      { name: 'radio to a client of the virtual node, p99', value: quantile(toClient, 0.99), unit: 'ms' },
      {
        name: `mesh to Matrix, added by ${CLIENTS} clients, p50`,
        value: added,
        unit: 'ms',
        goal: '< 5',
        met: added < 5,
      },
    ];
  } finally {
    for (const client of clients) client.socket.destroy();
    await rig.close();
  }
}

/** Time from the mesh's text to the next step of `count`, for each of the texts, in milliseconds. */
async function timed(rig: Rig, count: () => number): Promise<readonly number[]> {
  const times: number[] = [];
  for (let n = 0; n < TEXTS; n += 1) {
    const before = count();
    const saidMs = performance.now();
    rig.radio.node(NODE.num).sendText(0, `shared ${n}`);
    await until(() => count() > before, 10_000, 'a text at the other end');
    times.push(performance.now() - saidMs);
    await delay(PAUSE_MS);
  }
  return times;
}
