import { afterEach, describe, expect, it } from 'vitest';
import type { PluginHost } from '../../../src/plugins/host/host.ts';
import { inProcess, inWorker, meshInbound, startHost, until } from './helpers.ts';

const LIMITS = { pingMs: 100, hangMs: 600, startMs: 10_000, heapMb: 24, externalMb: 16, maxCalls: 2_000 };
const hosts: PluginHost[] = [];

/** A plugin that does something bad when told to, beside one that answers. */
async function withBad(body: string, workerLimits = LIMITS) {
  const code = `
    export default {
      name: 'bad', version: '1.0.0', api: 1, needs: ['sendRoom', 'sendMesh', 'store'],
      onMeshText(message, ctx) { if (message.text === 'now') { ${body} } return message.text === 'mine'; },
    };`;
  const good = inProcess({
    name: 'good',
    version: '1.0.0',
    api: 1,
    commands: [{ name: 'good', description: 'Answers.', run: () => 'still here' }],
  });
  const run = startHost([inWorker('bad', code), good], { workerLimits });
  hosts.push(run.host);
  await run.started;
  const bad = () => run.host.states().find(({ name }) => name === 'bad');
  expect(bad()).toMatchObject({ status: 'active', reason: null });
  return { ...run, bad };
}

/** The relay goes on: a message is answered for within the deadline, another plugin works, the event loop turns. */
async function expectUndisturbed(host: PluginHost): Promise<void> {
  const startMs = performance.now();
  expect(await host.claim(meshInbound('hello'))).toBe(false);
  expect(await host.claim(meshInbound('!good'))).toBe(true);
  // The claim deadline is 200 ms, an endless loop has none: room for a busy machine in between.
  expect(performance.now() - startMs).toBeLessThan(2_000);
}

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

describe('a plugin in its thread', () => {
  it('that crashes is started again', async () => {
    const { host, bad } = await withBad("setTimeout(() => { throw new Error('ouch'); }, 0);");

    await host.claim(meshInbound('now'));
    await until(() => bad()?.restarts === 1);
    expect(bad()?.reason).toBe('ouch');
    await expectUndisturbed(host);
    await until(() => bad()?.status === 'active');
    expect(await host.claim(meshInbound('mine'))).toBe(true);
  });

  it('that leaves a rejection unhandled is started again', async () => {
    const { host, bad } = await withBad("Promise.reject(new Error('forgotten'));");

    await host.claim(meshInbound('now'));
    await until(() => bad()?.restarts === 1);
    expect(bad()?.reason).toBe('forgotten');
    await expectUndisturbed(host);
  });

  it('that ends its process ends its thread only', async () => {
    const { host, bad } = await withBad('process.exit(3);');

    await host.claim(meshInbound('now'));
    await until(() => bad()?.restarts === 1);
    await expectUndisturbed(host);
  });

  it('that loops without end never has the message and is ended', async () => {
    const { host, bad } = await withBad('for (;;);');

    expect(await host.claim(meshInbound('now'))).toBe(false);
    await expectUndisturbed(host);
    await until(() => bad()?.restarts === 1);
    expect(bad()?.reason).toMatch(/did not answer/);
  });

  it('that fills its heap is ended', async () => {
    const { host, bad } = await withBad('const all = []; for (;;) all.push(new Array(1e5).fill({}));', {
      ...LIMITS,
      hangMs: 15_000,
    });

    await host.claim(meshInbound('now'));
    await expectUndisturbed(host);
    await until(() => bad()?.restarts === 1, 15_000);
    expect(bad()?.reason).toBe('it used more than 24 MB of memory');
  });

  it('that asks for a gigabyte does not get it', async () => {
    const before = process.memoryUsage.rss();
    const { host, sent, bad } = await withBad(`
      const attempt = (make) => { try { return make().length; } catch (error) { return error.message; } };
      const text = [() => Buffer.alloc(2 ** 30, 1), () => new Uint8Array(2 ** 30).fill(1)].map(attempt).join();
      ctx.sendRoom({ room: 'r', text });`);

    await host.claim(meshInbound('now'));
    await expectUndisturbed(host);
    await until(() => sent.rooms.length === 1);
    expect(sent.rooms[0]).toMatchObject({ text: expect.stringMatching(/may not allocate.*,.*may not allocate/) });
    expect(process.memoryUsage.rss() - before).toBeLessThan(300e6);
    expect(bad()?.status).toBe('active');
  });

  it('that gathers buffers is ended', async () => {
    const { host, bad } = await withBad(`
      globalThis.all = [];
      const more = () => { all.push(Buffer.alloc(2 ** 20, 1)); if (all.length < 200) setTimeout(more, 5); };
      more();`);

    await host.claim(meshInbound('now'));
    await until(() => bad()?.restarts === 1);
    expect(bad()?.reason).toBe('it holds more than 16 MB of buffers');
    await expectUndisturbed(host);
  });

  it('that floods is cut short: few sends pass, the rest are refused', async () => {
    const { host, sent, bad } = await withBad(
      "for (let i = 0; i < 1000; i += 1) ctx.sendRoom({ room: 'r', text: String(i) }).catch(() => {});",
    );

    await host.claim(meshInbound('now'));
    await expectUndisturbed(host);
    await until(() => sent.rooms.length >= 60);
    expect(sent.rooms.length).toBeLessThan(70);
    expect(bad()?.status).toBe('active');
  });

  it('that floods without end is ended', async () => {
    const { host, bad } = await withBad(
      "const go = () => { for (let i = 0; i < 5000; i += 1) ctx.logger.info('x'); setImmediate(go); }; go();",
    );

    await host.claim(meshInbound('now'));
    await until(() => bad()?.restarts === 1);
    expect(bad()?.reason).toMatch(/more than 2000 calls/);
    await expectUndisturbed(host);
  });

  it('sees nothing of our environment', async () => {
    const { host, sent } = await withBad("ctx.sendRoom({ room: 'r', text: JSON.stringify(process.env) });");

    await host.claim(meshInbound('now'));
    await until(() => sent.rooms.length === 1);
    expect(sent.rooms[0]).toMatchObject({ text: '{}' });
  });

  it('cannot reach past what it declared', async () => {
    const { host, sent } = await withBad(`
      import('node:worker_threads').then(({ parentPort }) => {
        parentPort.on('message', (m) => { if (m.id === 999) ctx.sendRoom({ room: 'r', text: JSON.stringify(m) }); });
        parentPort.postMessage({ type: 'call', id: 999, call: { op: 'status.get' } });
      });`);

    await host.claim(meshInbound('now'));
    await until(() => sent.rooms.length === 1);
    expect(sent.rooms[0]).toMatchObject({ text: expect.stringContaining('PLUGIN_NEED') });
  });

  it('that cannot be loaded is failed, with the reason', async () => {
    const run = startHost([
      inWorker('syntax', 'export default {'),
      inWorker('old', "export default { name: 'old', version: '1', api: 7 };"),
      inWorker('alias', "export default { name: 'other', version: '1', api: 1 };"),
    ]);
    hosts.push(run.host);
    await run.started;

    expect(run.host.states().map(({ name, status }) => [name, status])).toEqual([
      ['syntax', 'failed'],
      ['old', 'failed'],
      ['alias', 'failed'],
    ]);
    expect(run.host.states()[1]?.reason).toContain('api is 7, this relay knows version 1');
    expect(run.host.states()[2]?.reason).toContain('calls itself "other"');
  });
});
