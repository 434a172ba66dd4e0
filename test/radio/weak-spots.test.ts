import { describe, expect, it } from 'vitest';
import { createRadio } from '../../src/radio/radio.ts';
import { BleTransport } from '../../src/radio/transport/ble.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { ManualClock, settle } from '../../src/util/manual-clock.ts';
import { ScriptedHub } from './ble/scripted-hub.ts';
import { RecordingSink, startRadio, textPacket } from './radio-rig.ts';
import { ScriptedPeer } from './scripted-peer.ts';

/** The weak spots of the old relay (spec 02, section 9) that lie at the radio, and how this one stands there. */
describe('weak spots at the radio', () => {
  it('W27: a port that refuses, however long, is tried again until it answers; nothing ends', async () => {
    const { radio, peer, clock } = await startRadio({ open: (attempt) => (attempt <= 200 ? 'refuse' : 'accept') });
    await clock.advance(3_600_000);
    expect(peer.attempts).toBe(201);
    expect(radio.state()).toMatchObject({ status: 'ready', attempts: 0, reason: null });
  });

  it('W27: a radio that never answers the connection is tried again as well', async () => {
    const { radio, peer, clock } = await startRadio({ wantConfig: () => undefined });
    await clock.advance(600_000);
    expect(peer.attempts).toBeGreaterThan(6);
    expect(radio.state().reason).toBe('the radio stopped in the middle of the handshake');
  });

  it('W30: after an hour away it is noticed within 30 s of its return, and a stop does not wait for a retry', async () => {
    const world = { back: false };
    const { radio, clock } = await startRadio({ open: () => (world.back ? 'accept' : 'refuse') });
    await clock.advance(3_600_000);
    world.back = true;
    await clock.advance(30_000);
    expect(radio.state().status).toBe('ready');

    const away = await startRadio({ open: () => 'refuse' });
    await away.radio.stop();
    expect([away.radio.state().status, away.clock.pending()]).toEqual(['stopped', 0]);
  });

  it('W30: a stop in the middle of a connection attempt does not wait for it either', async () => {
    const { radio, clock } = await startRadio({ open: () => 'hang' });
    await radio.stop();
    expect([radio.state().status, clock.pending()]).toEqual(['stopped', 0]);
  });

  it('W33: liveness is always on; a half-open link is noticed within 90 s and nothing is sent into it', async () => {
    const { radio, sink, peer, clock } = await startRadio();
    peer.script.heartbeat = () => undefined;
    peer.script.wantConfig = () => undefined;
    await clock.advance(90_000);
    expect(radio.state().status).not.toBe('ready');
    expect(sink.states.map(({ status }) => status)).toContain('backing-off');
    await expect(radio.send(textPacket(1))).rejects.toMatchObject({ code: 'RADIO_NOT_READY' });
  });

  it('W33: the same over Bluetooth, where the old relay did not look at all', async () => {
    const hub = new ScriptedHub();
    hub.peripherals = [{ address: 'AA:BB:CC:DD:EE:01', name: 'Anna', rssi: -60, isMeshtastic: true }];
    const clock = new ManualClock();
    const sink = new RecordingSink();
    const transports = () => new BleTransport({ target: 'Anna', hub, clock });
    const connect = { type: 'custom' as const, transports };
    const radio = createRadio({ name: 'ble', connect, clock, random: () => 0.5, logger: silentLogger });
    radio.start(sink);
    await settle();
    // myInfo, then configCompleteId of the nonce it asked with.
    hub.toPhone.push(Uint8Array.of(0x1a, 0x02, 0x08, 0x07), Uint8Array.of(0x38, ...(hub.written[0]?.slice(1) ?? [])));
    hub.notify();
    await settle();
    expect(radio.state().status).toBe('ready');
    await clock.advance(90_000);
    expect(sink.states.find(({ status }) => status === 'backing-off')?.reason).toBe('no sign of life for 75 s');
    const stopping = radio.stop();
    await clock.advance(1_000);
    await stopping;
    expect([hub.leases, hub.links]).toEqual([0, 0]);
  });

  it('W35: one state machine per link: two radios in one process know nothing of each other', async () => {
    const clock = new ManualClock();
    const peers = [new ScriptedPeer(), new ScriptedPeer()] as const;
    const radios = peers.map((peer, index) => {
      const connect = { type: 'custom' as const, transports: peer.factory };
      const radio = createRadio({ name: `r${index}`, connect, clock, random: () => 0.5, logger: silentLogger });
      const sink = new RecordingSink();
      radio.start(sink);
      return { radio, sink };
    });
    await settle();
    for (let round = 0; round < 100; round += 1) {
      peers[0].last.break();
      await clock.advance(40_000);
    }
    expect(radios.map(({ radio }) => radio.state().status)).toEqual(['ready', 'ready']);
    expect([peers[0].attempts, peers[1].attempts]).toEqual([101, 1]);
    expect(peers[0].links.filter(({ isOpen }) => isOpen).length).toBe(1);
    expect(radios[1]?.sink.states.map(({ status }) => status)).toEqual(['connecting', 'handshaking', 'ready']);
  });
});
