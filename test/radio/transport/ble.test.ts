import { describe, expect, it } from 'vitest';
import type { BleFound } from '../../../src/radio/ble/central.ts';
import { BleTransport } from '../../../src/radio/transport/ble.ts';
import type { CloseReason } from '../../../src/radio/transport/types.ts';
import { ManualClock, settle } from '../../../src/util/manual-clock.ts';
import { describeTransport, type TransportRig } from '../../contract/transport-contract.ts';
import { ScriptedHub } from '../ble/scripted-hub.ts';

const ANNA: BleFound = { address: 'AA:BB:CC:DD:EE:01', name: 'Anna_ee01', rssi: -60, isMeshtastic: true };
const BERT: BleFound = { address: 'AA:BB:CC:DD:EE:02', name: 'Bert_ee02', rssi: -71, isMeshtastic: true };
const SPEAKER: BleFound = { address: '11:22:33:44:55:66', name: 'Speaker', rssi: -50, isMeshtastic: false };

async function createRig(): Promise<TransportRig> {
  const hub = new ScriptedHub();
  hub.peripherals = [ANNA];
  const connecting =
    (mood: ScriptedHub['connecting']) =>
    (clock: ManualClock): BleTransport => {
      hub.connecting = mood;
      return new BleTransport({ target: ANNA.address, hub, clock });
    };
  return {
    endKind: 'failed',
    reachable: connecting('accept'),
    refused: connecting(new Error('Connection Failed to be Established (0x3e)')),
    unanswered: connecting('hang'),
    peer: async () => ({
      send: async (bytes) => {
        hub.toPhone.push(bytes);
        hub.notify();
        await settle();
      },
      received: () => Buffer.concat(hub.written),
      end: () => hub.lose(),
      vanish: () => hub.lose(),
    }),
    openHandles: () => hub.leases + hub.links,
    dispose: async () => undefined,
  };
}

describeTransport('ble, scripted adapter', createRig);

function setUp(target = ANNA.address) {
  const hub = new ScriptedHub();
  hub.peripherals = [SPEAKER, BERT, ANNA];
  const clock = new ManualClock();
  const seen: number[][] = [];
  const closes: CloseReason[] = [];
  const handlers = {
    onBytes: (bytes: Uint8Array) => seen.push([...bytes]),
    onClose: (r: CloseReason) => closes.push(r),
  };
  const transport = new BleTransport({ target, hub, clock });
  const open = (): Promise<void> => transport.open(handlers, new AbortController().signal);
  return { hub, clock, seen, closes, transport, open };
}

async function failure(opening: Promise<void>, clock: ManualClock, advanceMs: number): Promise<string> {
  const told = opening.then(
    () => 'opened',
    (error: Error) => error.message,
  );
  await clock.advance(advanceMs);
  return told;
}

describe('ble', () => {
  it.each([
    'AA:BB:CC:DD:EE:01',
    'aa-bb-cc-dd-ee-01',
    'aabbccddee01',
    'Anna_ee01',
    ' anna_EE01 ',
  ])('W31: finds the radio by %s, address or name, and never takes one for the other', async (target) => {
    const { hub, open } = setUp(target);
    await open();
    expect(hub.links).toBe(1);
  });

  it('lists the radios in reach when it does not see the one it wants', async () => {
    const { open, clock, hub } = setUp('Carol_ee03');
    expect(await failure(open(), clock, 20_000)).toBe(
      'cannot reach the radio at ble Carol_ee03: not seen in a scan of 20 s; Meshtastic radios in reach: ' +
        'Bert_ee02 (AA:BB:CC:DD:EE:02, -71 dBm), Anna_ee01 (AA:BB:CC:DD:EE:01, -60 dBm) ' +
        '(a radio that serves a phone, or whose Wi-Fi is on, is not seen)',
    );
    expect([hub.leases, hub.suspected]).toEqual([0, 0]);
  });

  it('suspects an adapter that sees nothing at all, and has it opened afresh', async () => {
    const { open, clock, hub } = setUp();
    hub.peripherals = [];
    expect(await failure(open(), clock, 20_000)).toMatch(/no Bluetooth device in reach at all/);
    expect([hub.leases, hub.suspected]).toEqual([0, 1]);
  });

  it('says that the adapter is not ready', async () => {
    const { open, clock, hub } = setUp();
    hub.adapter = 'off';
    expect(await failure(open(), clock, 10_000)).toMatch(/the Bluetooth adapter is not ready .*bluetoothctl show/);
    expect([hub.leases, clock.pending()]).toEqual([0, 0]);
  });

  it.each([
    ['Connection Failed to be Established (0x3e)', /does not answer \(out of reach, or connected to a phone\?\)/],
    ['org.bluez.Error.InProgress', /connected elsewhere, probably to a phone: a radio serves one Bluetooth client/],
    ['org.bluez.Error.AuthenticationFailed', /wants to be paired with: run "bluetoothctl".*pair AA:BB:CC:DD:EE:01/],
    ['Insufficient Encryption', /type the PIN that the radio shows \(123456/],
    ['EPERM: Operation not permitted', /setcap cap_net_raw,cap_net_admin\+eip/],
    ['The name org.bluez was not provided by any .service files', /is bluetoothd installed and running\?/],
    ['the device has no Meshtastic service', /the device has no Meshtastic service/],
  ])('puts "%s" into plain words', async (words, plain) => {
    const { open, clock, hub } = setUp();
    hub.connecting = new Error(words);
    expect(await failure(open(), clock, 0)).toMatch(plain);
  });

  it('reads until there is nothing more, once at the start and at each notification', async () => {
    const { hub, seen, open } = setUp();
    hub.toPhone.push(Uint8Array.of(1), Uint8Array.of(2));
    await open();
    await settle();
    expect([seen, hub.reads]).toEqual([[[1], [2]], 3]);
    hub.toPhone.push(Uint8Array.of(3));
    hub.notify();
    hub.notify();
    await settle();
    expect(seen).toEqual([[1], [2], [3]]);
    expect(hub.reads).toBeLessThanOrEqual(6);
  });

  it('looks again after a write, because some firmware answers late and notifies of packets alone', async () => {
    const { hub, seen, open, transport, clock } = setUp();
    await open();
    await settle();
    await transport.write(Uint8Array.of(9));
    await clock.advance(150);
    hub.toPhone.push(Uint8Array.of(4), Uint8Array.of(5));
    await clock.advance(100);
    expect(seen).toEqual([[4], [5]]);
    await transport.write(Uint8Array.of(9));
    const reads = hub.reads;
    await clock.advance(60_000);
    expect(hub.reads - reads).toBeLessThanOrEqual(6);
    expect(clock.pending()).toBe(0);
  });

  it.each([
    ['a write that is never answered', { writing: 'hang' as const, read: null }],
    ['a write that is refused', { writing: new Error('Write failed'), read: null }],
    ['a read that is never answered', { writing: 'accept' as const, read: 'hang' as const }],
    ['a read that fails', { writing: 'accept' as const, read: new Error('Read failed') }],
  ])('takes %s for the end of the link, and gives the adapter back', async (_name, fault) => {
    const { hub, clock, closes, transport, open } = setUp();
    await open();
    await settle();
    hub.writing = fault.writing;
    if (fault.read !== null) hub.toPhone.push(fault.read);
    const writing = transport.write(Uint8Array.of(1)).catch((error: { code: string }) => error.code);
    await clock.advance(15_000);
    if (hub.writing !== 'accept') expect(await writing).toBe('RADIO_WRITE_FAILED');
    expect(closes.map(({ kind }) => kind)).toEqual(['failed']);
    expect([hub.leases, hub.links, clock.pending()]).toEqual([0, 0, 0]);
  });

  it('holds nothing after 1,000 connections, each ended in another way', async () => {
    const hub = new ScriptedHub();
    hub.peripherals = [ANNA];
    const clock = new ManualClock();
    for (let round = 0; round < 1_000; round += 1) {
      const transport = new BleTransport({ target: 'Anna_ee01', hub, clock });
      const abort = new AbortController();
      const opening = transport.open({ onBytes: () => undefined, onClose: () => undefined }, abort.signal);
      if (round % 4 === 0) abort.abort();
      await opening.catch(() => undefined);
      if (round % 4 === 1) hub.lose();
      await transport.close();
    }
    expect([hub.leases, hub.links, clock.pending()]).toEqual([0, 0, 0]);
  });
});
