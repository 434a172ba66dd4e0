import { expect, it } from 'vitest';
import queue from '../../../plugins/queue/index.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';
import { relayStatus } from '../status/relay-status.ts';

const radio = 'Radio default: 3 waiting (oldest 12 s), 1 sent and not yet confirmed, about 8 s to go';
const own = 'Room !room:example.org: 2 waiting (oldest 42 s)';
const other = 'Room !secret:example.org: 4 waiting (oldest 1 s)';

it('tells what waits for the radio and for this room; all rooms to administrators', async () => {
  const tester = testPlugin(queue, { status: relayStatus });
  expect((await tester.room('!queue')).replies[0]?.text).toBe(`${radio}\n${own}`);
  expect((await tester.room('!queue', { admin: true })).replies[0]?.text).toBe(`${radio}\n${own}\n${other}`);
});

it('tells the mesh in a line', async () => {
  const { replies } = await testPlugin(queue, { status: relayStatus }).mesh('!queue');
  expect(replies[0]).toEqual({ text: radio, short: 'Waiting: default 3 ~8 s' });
});

it('says so when nothing waits', async () => {
  const tester = testPlugin(queue, { status: { ...relayStatus, queues: [] } });
  expect((await tester.room('!queue')).replies[0]).toEqual({
    text: 'Radio default: nothing waits',
    short: 'Waiting: default 0',
  });
});
