import { describe, expect, it } from 'vitest';
import type { Plugin } from '../../../src/plugins/api.ts';
import { ManualClock, settle } from '../../../src/util/manual-clock.ts';
import { inProcess, meshInbound, roomInbound, startHost } from './helpers.ts';

const BASE = { version: '1.0.0', api: 1 } as const;

function onText(name: string, onMeshText: Plugin['onMeshText'], priority = 100): Plugin {
  return { ...BASE, name, priority, ...(onMeshText === undefined ? {} : { onMeshText }) };
}

const never = (): Promise<never> => new Promise(() => undefined);

describe('who has a message', () => {
  it('the first by priority that says so; those behind it do not see it', async () => {
    const seen: string[] = [];
    const watch = (name: string, answer: boolean, priority: number): Plugin =>
      onText(
        name,
        () => {
          seen.push(name);
          return answer;
        },
        priority,
      );
    const { host, started } = startHost(
      [watch('c', true, 30), watch('b', true, 20), watch('a', false, 10)].map((plugin) => inProcess(plugin)),
    );
    await started;

    expect(await host.claim(meshInbound('x'))).toBe(true);
    expect(seen).toEqual(['a', 'b']);
  });

  it('an error is no claim, and the next plugin gets its turn', async () => {
    const bad = onText('bad', () => Promise.reject(new Error('x')), 1);
    const { host, started } = startHost([inProcess(bad), inProcess(onText('good', () => true, 2))]);
    await started;

    expect(await host.claim(meshInbound('x'))).toBe(true);
    const alone = startHost([
      inProcess(
        onText('bad', () => {
          throw new Error('x');
        }),
      ),
    ]);
    await alone.started;
    expect(await alone.host.claim(meshInbound('x'))).toBe(false);
  });

  it('a claim counts at once, and the work goes on', async () => {
    const { host, sent, started } = startHost([
      inProcess(
        onText('slow', async (_message, ctx) => {
          ctx.claim();
          await Promise.resolve();
          await ctx.reply('later');
        }),
      ),
    ]);
    await started;

    expect(await host.claim(meshInbound('x'))).toBe(true);
    await settle();
    expect(sent.mesh).toEqual([{ radio: 'default', channel: 0, replyId: 4711, text: 'later' }]);
  });

  it('a timeout is no claim; nobody waits longer than the deadline, and soon not at all', async () => {
    const clock = new ManualClock();
    const { host, started } = startHost([inProcess(onText('hangs', never))], { clock });
    await started;
    for (let turn = 0; turn < 3; turn += 1) {
      const answer = host.claim(meshInbound('x'));
      await clock.advance(199);
      const early = await Promise.race([answer, Promise.resolve('still waiting')]);
      expect(early).toBe('still waiting');
      await clock.advance(1);
      expect(await answer).toBe(false);
    }
    expect(await host.claim(meshInbound('x'))).toBe(false);
  });

  it('packets are told without waiting, as frozen copies', async () => {
    const payloads: Uint8Array[] = [];
    const keeper: Plugin = {
      ...BASE,
      name: 'keeper',
      onMeshPacket(packet) {
        payloads.push(packet.payload);
        expect(() => Object.assign(packet, { from: 1 })).toThrow(TypeError);
        packet.payload[0] = 0;
        return never();
      },
    };
    const { host, started } = startHost([inProcess(keeper), inProcess({ ...keeper, name: 'second' })]);
    await started;
    const inbound = meshInbound('abc');

    expect(await host.claim(inbound)).toBe(false);
    await settle();
    expect(payloads.map((bytes) => [...bytes])).toEqual([
      [0, 98, 99],
      [0, 98, 99],
    ]);
    expect(payloads[0]).not.toBe(payloads[1]);
    expect(inbound.kind === 'mesh' && inbound.packet.payload[0]).toBe(97);
  });

  it('packets are told after the message, so that relaying never waits for them', async () => {
    const order: string[] = [];
    const watcher: Plugin = { ...BASE, name: 'watcher', onMeshPacket: () => void order.push('packet') };
    const { host, started } = startHost([inProcess(watcher)]);
    await started;
    await host.claim(meshInbound('x')).then(() => order.push('relayed'));
    await settle();
    expect(order).toEqual(['relayed', 'packet']);
  });

  it('a plugin that only listens is never waited for, and cannot take anything', async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const listener: Plugin = {
      ...onText('listener', (message, ctx) => {
        ctx.claim();
        seen.push(message.text);
        return true;
      }),
      onlyListens: true,
    };
    const { host, started } = startHost([inProcess(listener)], { clock });
    await started;
    expect(await host.claim(meshInbound('x'))).toBe(false);
    await settle();
    expect(seen).toEqual(['x']);
  });

  it('without plugins nothing is waited for', async () => {
    const clock = new ManualClock();
    const { host, started } = startHost([], { clock });
    await started;

    expect(await host.claim(meshInbound('!ping'))).toBe(false);
    expect(clock.pending()).toBe(0);
  });
});

describe('commands', () => {
  const tool: Plugin = {
    ...BASE,
    name: 'tool',
    commands: [
      { name: 'tool', description: 'Works.', cooldownMs: 10_000, run: () => 'done' },
      { name: 'secret', description: 'For admins.', admin: true, run: () => 'opened' },
      { name: 'broken', description: 'Fails.', run: () => Promise.reject(new Error('inner detail')) },
    ],
  };

  async function run(inbound: Parameters<ReturnType<typeof startHost>['host']['claim']>[0], change = {}) {
    const started = startHost([inProcess(tool, change)], { clock: new ManualClock() });
    await started.started;
    const claimed = await started.host.claim(inbound);
    await settle();
    return { ...started, claimed };
  }

  it('answer as a notice with a mark, and are never relayed', async () => {
    const { claimed, sent } = await run(roomInbound('!tool'));
    expect(claimed).toBe(true);
    expect(sent.rooms).toEqual([
      { room: '!room:ex.org', text: 'done', markdown: false },
      { room: '!room:ex.org', reaction: '✅', eventId: '$event' },
    ]);
  });

  it('a failure is told in general words', async () => {
    const { sent } = await run(roomInbound('!broken'));
    expect(JSON.stringify(sent.rooms)).not.toContain('inner detail');
    expect(sent.rooms.at(-1)).toMatchObject({ reaction: '❌' });
  });

  it('follow the mention rule of their plugin', async () => {
    expect((await run(roomInbound('!tool'), { mentionRequired: true })).claimed).toBe(false);
    expect((await run(roomInbound('@relay:ex.org: !tool'), { mentionRequired: true })).claimed).toBe(true);
  });

  it('of admins are for admins, and not for the mesh', async () => {
    expect((await run(roomInbound('!secret', '@admin:ex.org'))).sent.rooms[0]).toMatchObject({ text: 'opened' });
    const { claimed, sent } = await run(roomInbound('!secret'));
    expect(claimed).toBe(true);
    expect(sent.rooms).toEqual([
      { room: '!room:ex.org', text: '!secret: this command is for the admins of the relay.' },
    ]);
    const mesh = await run(meshInbound('!secret'));
    expect([mesh.claimed, mesh.sent.mesh]).toEqual([true, []]);
  });

  it.each([
    [{ deny: ['@alice:*'] }, 'you may not use this command'],
    [{ allow: ['@*:home.org'] }, 'only listed users may use this command'],
    [{ rooms: ['#other:ex.org'] }, 'this command does not work in this room'],
    [{ min_power_level: 50 }, 'this command needs power level 50'],
  ])('obey %j', async (settings, reason) => {
    const { claimed, sent } = await run(roomInbound('!tool'), { settings });
    expect([claimed, sent.rooms]).toEqual([true, [{ room: '!room:ex.org', text: `!tool: ${reason}.` }]]);
    if ('min_power_level' in settings)
      expect((await run(roomInbound('!tool', '@mod:ex.org'), { settings })).sent.rooms[0]).toMatchObject({
        text: 'done',
      });
  });

  it('wait for their cooldown, and say so once', async () => {
    const { host, sent } = await run(roomInbound('!tool'));
    await host.claim(roomInbound('!tool'));
    await host.claim(roomInbound('!tool'));
    await settle();
    const texts = sent.rooms.flatMap((output) => ('text' in output ? [output.text] : []));
    expect(texts).toEqual(['done', '!tool: wait 10 s before the next one.']);
  });

  it('of yesterday are neither run nor relayed', async () => {
    const { claimed, sent } = await run(roomInbound('!tool', '@alice:ex.org', { stale: true }));
    expect([claimed, sent.rooms]).toEqual([true, []]);
  });

  it('keep to their channels, except in direct messages', async () => {
    expect((await run(meshInbound('!tool', { channel: 3 }))).claimed).toBe(false);
    expect((await run(meshInbound('!tool', { channel: 3 }), { channels: [3] })).claimed).toBe(true);
    const direct = await run(meshInbound('!tool', { channel: 3, direct: true }), { channels: [] });
    expect(direct.sent.mesh).toEqual([{ radio: 'default', channel: 3, replyId: 4711, text: 'done', to: 0x0a11ce01 }]);
  });

  it('!plugins lists what runs and what does not', async () => {
    const { host, sent, started } = startHost([
      inProcess(tool),
      {
        ...inProcess({ ...BASE, name: 'gone' }),
        code: { kind: 'in-process', load: () => Promise.reject(new Error('no file')) },
      },
    ]);
    await started;
    expect(await host.claim(roomInbound('@relay:ex.org !plugins'))).toBe(true);
    await settle();
    expect(sent.rooms).toEqual([
      { room: '!room:ex.org', text: 'Plugins:\ntool: running (1.0.0)\ngone: failed, no file' },
    ]);
  });
});
