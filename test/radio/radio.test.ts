import { describe, expect, it } from 'vitest';
import { encodeFrame } from '../../src/radio/codec/framing.ts';
import { settle } from '../../src/util/manual-clock.ts';
import { startRadio, textPacket } from './radio-rig.ts';
import { firmwareScript } from './scripted-peer.ts';

describe('handshake', () => {
  it('learns own node, firmware, channels, LoRa settings and nodes, then is ready', async () => {
    const { radio, sink, peer } = await startRadio();
    expect(sink.statuses()).toEqual(['connecting', 'handshaking', 'ready']);
    expect(radio.info()).toMatchObject({
      nodeNum: 17,
      firmwareVersion: '2.7.26.54e0d8d',
      hwModel: 'PORTDUINO',
      hasPkc: true,
    });
    expect(
      radio
        .info()
        ?.channels.map(({ role }) => role)
        .slice(0, 2),
    ).toEqual(['primary', 'disabled']);
    expect(radio.info()?.lora?.modemPreset).toBe('LONG_FAST');
    expect([...radio.nodes().keys()].sort()).toEqual([16, 17]);
    expect(sink.infos).toEqual([radio.info()]);
    expect(peer.last.nonces().length).toBe(1);
    expect([69420, 69421, 0]).not.toContain(peer.last.nonces()[0]);
  });

  it('gives up a handshake that falls silent, and one that never completes', async () => {
    const silent = await startRadio({ wantConfig: () => undefined });
    await silent.clock.advance(20_000);
    expect(silent.radio.state()).toMatchObject({
      status: 'backing-off',
      reason: 'the radio stopped in the middle of the handshake',
    });

    const chatty = await startRadio({ wantConfig: () => undefined });
    for (let round = 0; round < 12; round += 1) {
      chatty.peer.last.sendText(round + 1, `t${round}`);
      await chatty.clock.advance(10_000);
    }
    expect(chatty.radio.state()).toMatchObject({
      status: 'backing-off',
      reason: 'the radio never completed its configuration',
    });
    expect(chatty.sink.texts().length).toBe(12);
    await chatty.clock.advance(10_000);
    expect(chatty.peer.attempts).toBe(2);
  });

  it("ignores the end of somebody else's configuration", async () => {
    const { radio } = await startRadio({ wantConfig: (link) => link.send({ case: 'configCompleteId', value: 4711 }) });
    expect(radio.state().status).toBe('handshaking');
    expect(radio.info()).toBeNull();
  });

  it('shakes hands again in place when the radio restarts', async () => {
    const { peer, sink, radio } = await startRadio();
    peer.last.send({ case: 'rebooted', value: true });
    await settle();
    expect(peer.attempts).toBe(1);
    expect(peer.last.nonces().length).toBe(2);
    expect(sink.statuses()).toEqual(['connecting', 'handshaking', 'ready', 'handshaking', 'ready']);
    expect(radio.state().reason).toBeNull();
  });

  it('starts a new book when another node answers at the address', async () => {
    const { peer, radio, clock } = await startRadio();
    peer.script.wantConfig = (link, nonce) => {
      link.send({ case: 'myInfo', value: { myNodeNum: 77 } });
      link.send({ case: 'configCompleteId', value: nonce });
    };
    peer.last.break();
    await clock.advance(2_000);
    expect(radio.info()).toEqual({
      nodeNum: 77,
      bootCount: 0,
      firmwareVersion: null,
      hwModel: null,
      hasPkc: false,
      lora: null,
      channels: [],
    });
    expect(radio.nodes().size).toBe(0);
  });
});

describe('reconnect', () => {
  it('is fast: configuration first, the backlog in order, nodes later', async () => {
    const { peer, sink, clock } = await startRadio();
    peer.script.wantConfig = (link, nonce) => {
      firmwareScript.wantConfig(link, nonce);
      if (nonce === 69420) for (const id of [1, 2, 3]) link.sendText(id, `missed ${id}`);
    };
    peer.last.break();
    await clock.advance(2_000);
    expect(peer.attempts).toBe(2);
    expect(peer.last.nonces()).toEqual([69420]);
    expect(sink.texts()).toEqual(['missed 1', 'missed 2', 'missed 3']);
    const nodesBefore = sink.nodes.length;
    await clock.advance(5_000);
    expect(peer.last.nonces()).toEqual([69420, 69421]);
    expect(sink.nodes.length).toBe(nodesBefore + 2);
    expect(sink.statuses().at(-1)).toBe('ready');
  });

  it('keeps trying a refused radio, and survives a cut in mid-frame', async () => {
    const { peer, radio, sink, clock } = await startRadio({ open: (attempt) => (attempt < 30 ? 'refuse' : 'accept') });
    expect(radio.state()).toMatchObject({ status: 'backing-off', reason: 'refused by the script', attempts: 1 });
    await clock.advance(30_000 * 30);
    expect(radio.state()).toMatchObject({ status: 'ready', attempts: 0 });
    peer.last.sendText(1, 'whole');
    peer.last.sendBytes(encodeFrame(new Uint8Array(100)).subarray(0, 50));
    peer.last.break();
    await clock.advance(2_000);
    peer.last.sendText(2, 'after');
    expect(sink.texts()).toEqual(['whole', 'after']);
  });

  it('is lost at once even if the link takes long to close, and the next one waits until it has', async () => {
    const { radio, peer, clock } = await startRadio();
    const closed = Promise.withResolvers<void>();
    peer.last.closing = closed.promise;
    peer.last.break();
    expect(radio.state()).toMatchObject({ status: 'backing-off', reason: 'connection lost' });
    await clock.advance(10_000);
    expect([radio.state().status, peer.last.isOpen]).toEqual(['connecting', false]);
    closed.resolve();
    await settle();
    expect([radio.state().status, peer.attempts]).toEqual(['ready', 2]);
  });

  it('claimed while it is still letting go, it takes the radio when that is done', async () => {
    const { radio, peer } = await startRadio();
    const closed = Promise.withResolvers<void>();
    peer.last.closing = closed.promise;
    const released = radio.release(null);
    radio.claim();
    await settle();
    expect([radio.state().status, peer.last.isOpen]).toEqual(['connecting', false]);
    closed.resolve();
    await released;
    await settle();
    expect(radio.state().status).toBe('ready');
  });

  it('stops when the link that was lost has closed', async () => {
    const { radio, peer } = await startRadio();
    const closed = Promise.withResolvers<void>();
    peer.last.closing = closed.promise;
    peer.last.break();
    const stopped = { isSo: false };
    const stopping = radio.stop().then(() => {
      stopped.isSo = true;
    });
    await settle();
    expect(stopped.isSo).toBe(false);
    closed.resolve();
    await stopping;
  });

  it('names another client that keeps taking the radio, and waits longer and longer', async () => {
    const { peer, radio, clock, logs } = await startRadio();
    for (let round = 0; round < 3; round += 1) {
      peer.last.evict();
      await clock.advance(round === 2 ? 0 : 15_000);
    }
    expect(radio.state()).toMatchObject({
      status: 'kicked',
      reason: expect.stringMatching(/^another client took the radio/),
    });
    expect(logs.filter(({ message }) => message === 'another client took the radio').length).toBe(2);
    const attempts = peer.attempts;
    await clock.advance(9_000);
    expect(peer.attempts).toBe(attempts);
    await clock.advance(5_000);
    expect(radio.state().status).toBe('ready');
  });
});

describe('liveness', () => {
  it('keeps a quiet radio with one heartbeat per quiet spell', async () => {
    const { peer, radio, clock } = await startRadio();
    await clock.advance(600_000);
    expect(radio.state().status).toBe('ready');
    expect(peer.attempts).toBe(1);
    expect(peer.last.count('heartbeat')).toBeLessThanOrEqual(24);
    expect(peer.last.count('heartbeat')).toBeGreaterThanOrEqual(12);
  });

  it('notices a half-open link after two probes, within 90 s', async () => {
    const { peer, radio, clock } = await startRadio();
    await clock.advance(30_000);
    peer.script.heartbeat = () => undefined;
    peer.script.wantConfig = () => undefined;
    const asked = peer.last.heard.length;
    await clock.advance(69_999);
    expect([radio.state().status, peer.last.heard.length]).toEqual(['ready', asked + 2]);
    await clock.advance(1);
    expect(radio.state()).toMatchObject({ status: 'backing-off', reason: 'no sign of life for 75 s' });
    await expect(radio.send(textPacket(1))).rejects.toMatchObject({ code: 'RADIO_NOT_READY' });
  });

  it('keeps a radio whose firmware ignores heartbeats, and stops sending them', async () => {
    const { peer, radio, clock } = await startRadio({ heartbeat: () => undefined });
    await clock.advance(3_600_000);
    expect(radio.state().status).toBe('ready');
    expect(peer.attempts).toBe(1);
    expect(peer.last.nonces().length).toBeLessThan(20);
  });

  it('speaks at least every 10 minutes on a busy link, though nothing needs proof', async () => {
    const { peer, clock } = await startRadio();
    for (let minute = 0; minute < 60; minute += 1) {
      for (let part = 0; part < 6; part += 1) {
        peer.last.sendText(minute * 6 + part + 1, 'busy');
        await clock.advance(10_000);
      }
    }
    expect(peer.last.count('heartbeat')).toBeGreaterThanOrEqual(6);
    expect(peer.last.count('heartbeat')).toBeLessThanOrEqual(12);
  });
});

describe('what the radio says', () => {
  it('hands on queue status, notifications, routing answers and packets', async () => {
    const { peer, sink } = await startRadio();
    const routing = (to: number, requestId: number, reason: number) => {
      const payloadVariant = {
        case: 'decoded' as const,
        value: { portnum: 5, payload: Uint8Array.of(0x18, reason), requestId },
      };
      peer.last.send({ case: 'packet', value: { from: 17, to, id: requestId + 1, payloadVariant } });
    };
    peer.last.send({ case: 'queueStatus', value: { free: 3, maxlen: 16, meshPacketId: 8 } });
    peer.last.send({ case: 'clientNotification', value: { level: 30, replyId: 8, message: 'Duty cycle' } });
    routing(17, 100, 0);
    routing(17, 200, 38);
    routing(16, 300, 0);
    expect(sink.queue).toEqual([{ res: 0, free: 3, maxlen: 16, packetId: 8 }]);
    expect(sink.notifications).toEqual([{ level: 'WARNING', replyId: 8, message: 'Duty cycle' }]);
    expect(sink.routing).toEqual([
      { packetId: 100, error: 'NONE', from: 17 },
      { packetId: 200, error: 'RATE_LIMIT_EXCEEDED', from: 17 },
    ]);
    expect(sink.packets.map(({ requestId }) => requestId)).toEqual([100, 200, 300]);
  });

  it('learns names from packets of the mesh', async () => {
    const { peer, sink, radio } = await startRadio();
    const user = Buffer.from('0a02213912084e6577206e616d651a024e4e', 'hex');
    const payloadVariant = { case: 'decoded' as const, value: { portnum: 4, payload: user } };
    peer.last.send({
      case: 'packet',
      value: { from: 9, to: 0xffffffff, id: 5, rxTime: 1000, hopStart: 5, hopLimit: 3, payloadVariant },
    });
    expect(radio.nodes().get(9)).toMatchObject({
      longName: 'New name',
      shortName: 'NN',
      lastHeardS: 1000,
      hopsAway: 2,
    });
    expect(sink.nodes.at(-1)?.num).toBe(9);
  });
});

describe('a relay that cannot store', () => {
  it('loses no packet: the link is dropped, what came is kept in order, and given again', async () => {
    const { peer, sink, radio, clock } = await startRadio({
      disconnect: (link) => {
        link.sendText(3, 'on the way');
        link.evict();
      },
    });
    sink.refusal = new Error('disk full');
    peer.last.sendText(1, 'first');
    peer.last.sendText(2, 'second');
    await settle();
    expect(peer.last.count('disconnect')).toBe(1);
    expect(radio.state()).toMatchObject({ status: 'backing-off', reason: expect.stringContaining('disk full') });
    await clock.advance(120_000);
    expect(peer.attempts).toBe(1);
    expect(radio.state()).toMatchObject({ status: 'backing-off', reason: expect.stringContaining('disk full') });
    sink.refusal = null;
    await clock.advance(30_000);
    expect(radio.state().status).toBe('ready');
    peer.last.sendText(4, 'fourth');
    expect(sink.texts()).toEqual(['first', 'second', 'on the way', 'fourth']);
  });

  it('stores the packets of one read in one commit, and nothing overtakes them', async () => {
    const { peer, sink } = await startRadio();
    const order: string[] = [];
    sink.together = (work) => {
      const before = sink.packets.length;
      work();
      order.push(`commit of ${sink.packets.length - before}`);
    };
    sink.onQueueStatus = () => order.push('queue status');
    peer.last.inOneRead(() => {
      for (const id of [1, 2, 3]) peer.last.sendText(id, `${id}`);
      peer.last.send({ case: 'queueStatus', value: { free: 1, maxlen: 16 } });
      for (const id of [4, 5]) peer.last.sendText(id, `${id}`);
    });

    expect(order).toEqual(['commit of 3', 'queue status', 'commit of 2']);
    expect(sink.texts()).toEqual(['1', '2', '3', '4', '5']);
  });

  it('lives on when other callbacks throw', async () => {
    const { peer, sink, radio } = await startRadio();
    sink.onQueueStatus = () => {
      throw new Error('bug');
    };
    peer.last.send({ case: 'queueStatus', value: { free: 1, maxlen: 16 } });
    peer.last.sendText(1, 'still here');
    expect(sink.texts()).toEqual(['still here']);
    expect(radio.state().status).toBe('ready');
  });
});

describe('send', () => {
  it('writes with the hop limit of the radio, and only when ready', async () => {
    const { radio, peer, clock } = await startRadio({ open: (attempt) => (attempt === 1 ? 'refuse' : 'accept') });
    await expect(radio.send(textPacket(1))).rejects.toMatchObject({
      code: 'RADIO_NOT_READY',
      retry: { kind: 'later' },
      certain: true,
    });
    await clock.advance(2_000);
    await radio.send(textPacket(7));
    const sent = peer.last.heard.at(-1);
    expect(sent?.case === 'packet' ? sent.value : null).toMatchObject({
      id: 7,
      to: 0xffffffff,
      hopLimit: 3,
      wantAck: true,
      from: 0,
    });
    const big = { ...textPacket(8), payload: new Uint8Array(234) };
    await expect(radio.send(big)).rejects.toMatchObject({ code: 'RADIO_TOO_LARGE' });
  });

  it('chooses fresh packet ids', async () => {
    const { radio } = await startRadio();
    const ids = Array.from({ length: 1000 }, () => radio.newPacketId());
    expect(new Set(ids).size).toBe(1000);
    expect(ids).not.toContain(0);
  });
});

describe('stop', () => {
  it('says goodbye, takes in what is on the way, and is silent afterwards', async () => {
    const { radio, peer, sink, clock } = await startRadio({
      disconnect: (link) => {
        link.sendText(1, 'last words');
        link.evict();
      },
    });
    const link = peer.last;
    await radio.stop();
    expect(sink.texts()).toEqual(['last words']);
    expect(sink.statuses().at(-1)).toBe('stopped');
    expect([link.isOpen, clock.pending()]).toEqual([false, 0]);
    const calls = sink.calls;
    link.sendText(2, 'too late');
    await clock.advance(600_000);
    expect([sink.calls, peer.attempts]).toEqual([calls, 1]);
  });

  it.each([
    ['connecting', { open: () => 'hang' as const }],
    ['handshaking', { wantConfig: () => undefined }],
    ['backing-off', { open: () => 'refuse' as const }],
    ['ready', { disconnect: () => undefined }],
  ])('ends within a second while %s', async (status, script) => {
    const { radio, sink, clock, peer } = await startRadio(script);
    expect(radio.state().status).toBe(status);
    let isStopped = false;
    const stopped = Promise.all([radio.stop(), radio.stop()]).then(() => {
      isStopped = true;
    });
    await clock.advance(1_000);
    expect(isStopped).toBe(true);
    await stopped;
    expect(clock.pending()).toBe(0);
    const { calls } = sink;
    await clock.advance(600_000);
    expect([sink.calls, peer.attempts, radio.state().status]).toEqual([calls, 1, 'stopped']);
  });

  it('leaves nothing behind over a thousand reconnects', async () => {
    const { radio, peer, clock } = await startRadio();
    for (let round = 0; round < 1000; round += 1) {
      peer.last.break();
      await clock.advance(30_000);
      expect(clock.pending()).toBeLessThanOrEqual(2);
    }
    expect(peer.attempts).toBe(1001);
    await radio.stop();
    expect(clock.pending()).toBe(0);
  });
});
