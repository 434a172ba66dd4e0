import { afterEach, describe, expect, inject, it } from 'vitest';
import type { BleHub } from '../../src/radio/ble/central.ts';
import { createNobleHub } from '../../src/radio/ble/noble-hub.ts';
import { createRadio } from '../../src/radio/radio.ts';
import type { SharedRadio } from '../../src/radio/radio-tap.ts';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { RecordingSink, textPacket } from '../radio/radio-rig.ts';
import { BlePeripheral } from './support/ble.ts';
import { eventually } from './support/eventually.ts';
import { leavesNothingBehind, RECONNECTS } from './support/footprint.ts';
import { LONG_TEST_MS, RadioStage, relayUnderCuts } from './support/radio-stage.ts';

const missing = inject('pythonMissing').bumble;
const title = 'a radio over Bluetooth: noble, virtual controllers, a GATT peripheral';
const NODE = { num: 0xa1b2c3d4, longName: 'Anna', shortName: 'ANN' };

describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  async function setUp(name = 'Ann_c3d4'): Promise<{ device: VirtualRadio; peripheral: BlePeripheral; hub: BleHub }> {
    const device = await createVirtualRadio({ nodes: [NODE] });
    closing.push(() => device.close());
    const peripheral = await BlePeripheral.start({ port: device.port, name });
    closing.push(() => peripheral.close());
    const uart = { port: peripheral.uart, baudRate: 1_000_000 };
    const hub = createNobleHub({ binding: { kind: 'hci', uart }, logger: silentLogger });
    return { device, peripheral, hub };
  }

  function start(hub: BleHub, target: string): { radio: SharedRadio; sink: RecordingSink } {
    const connect = { type: 'ble' as const, target, hub };
    const radio = createRadio({ name: 'ble', connect, clock: systemClock, random: () => 0, logger: silentLogger });
    closing.push(() => radio.stop());
    const sink = new RecordingSink();
    radio.start(sink);
    return { radio, sink };
  }

  const reached = (radio: SharedRadio, status: string): Promise<true> =>
    eventually(`${status} (now ${radio.state().status}: ${radio.state().reason})`, () =>
      radio.state().status === status ? true : null,
    );

  it('W31: connects by address and by name, and carries the longest texts both ways', async () => {
    const { device, peripheral, hub } = await setUp();
    for (const target of [peripheral.address, 'ann_C3D4']) {
      const { radio, sink } = start(hub, target);
      await reached(radio, 'ready');
      expect(radio.info()).toMatchObject({ nodeNum: device.nodeNum, firmwareVersion: '2.7.26.54e0d8d' });
      const text = `over Bluetooth ${target} `.padEnd(200, 'x');
      device.node(NODE.num).sendText(0, text);
      await eventually('the text', () => (sink.texts().includes(text) ? true : null));
      const id = radio.newPacketId();
      await radio.send(textPacket(id, 'y'.repeat(200)));
      await eventually('our text on air', () =>
        device.mesh.heard.some(({ packet }) => packet.id === id) ? true : null,
      );
      await radio.stop();
    }
    expect(peripheral.count('connected')).toBe(2);
  });

  it('comes back when the radio ends the link, is silent for a while, or our controller is pulled out', async () => {
    const { peripheral, hub } = await setUp();
    const { radio } = start(hub, peripheral.address);
    await reached(radio, 'ready');
    peripheral.drop();
    await reached(radio, 'backing-off');
    expect(radio.state().reason).toBe('the Bluetooth link was lost (ended by the radio)');
    await reached(radio, 'ready');

    await peripheral.unplug();
    await reached(radio, 'backing-off');
    await eventually('the reason', () => (/adapter cannot be opened/.test(radio.state().reason ?? '') ? true : null));
    await peripheral.plug();
    await reached(radio, 'ready');
  });

  it('released, it is free for a phone, and is taken back when the time is over', async () => {
    const { peripheral, hub } = await setUp();
    const ours = start(hub, peripheral.address).radio;
    await reached(ours, 'ready');
    await ours.release(60_000);
    await peripheral.wait('disconnected');
    const phone = start(hub, peripheral.address).radio;
    await reached(phone, 'ready');
    await phone.stop();
    expect(ours.state()).toMatchObject({ status: 'stopped', reason: 'released' });
    ours.claim();
    await reached(ours, 'ready');
    await ours.release(1_000);
    await reached(ours, 'stopped');
    await reached(ours, 'ready');
    expect(peripheral.count('connected')).toBe(4);
  });

  it('says which radios are in reach when the one it wants is not', async () => {
    const { hub, peripheral } = await setUp();
    const { radio } = start(hub, 'Carol_ee03');
    await reached(radio, 'backing-off');
    expect(radio.state().reason).toContain('Meshtastic radios in reach: Ann_c3d4 (F0:F1:F2:F3:F4:F5');
    expect(peripheral.count('connected')).toBe(0);
  });

  it(
    `holds no listener and no handle more after ${RECONNECTS} reconnects`,
    async () => {
      const { peripheral, hub } = await setUp();
      const connectOnce = async (): Promise<void> => {
        const { radio } = start(hub, peripheral.address);
        await reached(radio, 'ready');
        await radio.stop();
        closing.pop();
      };
      await leavesNothingBehind('Bluetooth reconnects', connectOnce);
    },
    LONG_TEST_MS,
  );

  it(
    'the daemon carries both ways through cuts of link and controller (100 each with MMRELAY_E2E_FULL) without loss or copy',
    async () => {
      const stage = await RadioStage.build();
      closing.push(() => stage.close());
      const peripheral = await BlePeripheral.start({ port: stage.radio.port, name: 'Rel_cafe' });
      closing.push(() => peripheral.close());
      const before = process.env.BLUETOOTH_HCI_SOCKET_UART_PORT;
      process.env.BLUETOOTH_HCI_SOCKET_UART_PORT = peripheral.uart;
      stage.start({ kind: 'ble', address: 'Rel_cafe' });
      if (before === undefined) delete process.env.BLUETOOTH_HCI_SOCKET_UART_PORT;
      await relayUnderCuts(stage, [
        {
          name: 'ended by the radio',
          begin: async () => {
            peripheral.silence();
            peripheral.drop();
          },
          end: async () => peripheral.speak(),
        },
        { name: 'controller reset', begin: () => peripheral.unplug(), end: () => peripheral.plug() },
      ]);
    },
    LONG_TEST_MS,
  );
});
