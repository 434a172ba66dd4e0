import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, describe, expect, inject, it } from 'vitest';
import { createNobleHub } from '../../src/radio/ble/noble-hub.ts';
import { createRadio } from '../../src/radio/radio.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { RecordingSink, textPacket } from '../radio/radio-rig.ts';
import { bluezMissing, FakeBluez } from './support/bluez.ts';
import { eventually } from './support/eventually.ts';
import { leavesNothingBehind, RECONNECTS } from './support/footprint.ts';
import { LONG_TEST_MS, RadioStage, relayUnderCuts } from './support/radio-stage.ts';

const missing = bluezMissing() ?? inject('pythonMissing').meshtastic;
if (missing !== null && process.env.MMRELAY_E2E_REQUIRED === '1') throw new Error(missing);
const title = 'a radio over Bluetooth by D-Bus: noble and a bluetoothd double on a bus of its own';
const run = promisify(execFile);
const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const NODE = { num: 0xa1b2c3d4, longName: 'Anna', shortName: 'ANN' };

/** Holds this process up, so that what comes meanwhile is read in one go, in its order. */
function standStill(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

describe.skipIf(missing !== null)(missing === null ? title : `${title} (skipped: ${missing})`, () => {
  const closing: (() => Promise<unknown>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
    delete process.env.DBUS_SYSTEM_BUS_ADDRESS;
    delete process.env.NOBLE_BINDINGS;
  });

  /** The daemon's stage, its radio on a bluetoothd double as Rel_cafe, and noble told to look there. */
  async function stageOnBluez() {
    const stage = await RadioStage.build();
    closing.push(() => stage.close());
    const bluez = await FakeBluez.start({ port: stage.radio.port, name: 'Rel_cafe' });
    closing.push(() => bluez.close());
    process.env.DBUS_SYSTEM_BUS_ADDRESS = bluez.busAddress;
    process.env.NOBLE_BINDINGS = 'dbus';
    return { stage, bluez };
  }

  it('carries both ways, and comes back when link, adapter or bluetoothd go', async () => {
    const device = await createVirtualRadio({ nodes: [NODE] });
    closing.push(() => device.close());
    const bluez = await FakeBluez.start({ port: device.port, name: 'Anna_c3d4' });
    closing.push(() => bluez.close());
    process.env.DBUS_SYSTEM_BUS_ADDRESS = bluez.busAddress;
    const hub = createNobleHub({ binding: { kind: 'dbus', uart: null }, logger: silentLogger });
    const connect = { type: 'ble' as const, target: 'Anna_c3d4', hub };
    const radio = createRadio({ name: 'ble', connect, clock: systemClock, random: () => 0, logger: silentLogger });
    closing.push(() => radio.stop());
    const sink = new RecordingSink();
    radio.start(sink);
    const reached = (status: string): Promise<true> =>
      eventually(status, () => (radio.state().status === status ? true : null));
    await reached('ready');

    const text = 'over D-Bus '.padEnd(200, 'x');
    device.node(NODE.num).sendText(0, text);
    await eventually('the text', () => (sink.texts().includes(text) ? true : null));
    const id = radio.newPacketId();
    await radio.send(textPacket(id, 'y'.repeat(200)));
    await eventually('our text on air', () => (device.mesh.heard.some(({ packet }) => packet.id === id) ? true : null));

    bluez.command('drop');
    await reached('backing-off');
    await reached('ready');

    // The answer to a write under way comes when noble has forgotten the radio: that must not come out unhandled.
    bluez.command('stall');
    const stalled = radio.send(textPacket(radio.newPacketId(), 'into nothing')).catch(() => undefined);
    bluez.command('off');
    standStill(300);
    await stalled;
    await reached('backing-off');
    bluez.command('on');
    await reached('ready');

    await bluez.kill();
    await radio.send(textPacket(radio.newPacketId(), 'into nothing')).catch(() => undefined);
    await eventually('the reason', () => (/is bluetoothd installed/.test(radio.state().reason ?? '') ? true : null));
    await bluez.restart();
    await reached('ready');
    expect(sink.texts().filter((seen) => seen === text)).toEqual([text]);
  });

  it(
    `holds no listener, no handle and no memory more after ${RECONNECTS} reconnects`,
    async () => {
      const device = await createVirtualRadio();
      closing.push(() => device.close());
      const bluez = await FakeBluez.start({ port: device.port, name: 'Anna_c3d4' });
      closing.push(() => bluez.close());
      process.env.DBUS_SYSTEM_BUS_ADDRESS = bluez.busAddress;
      const hub = createNobleHub({ binding: { kind: 'dbus', uart: null }, logger: silentLogger });
      await leavesNothingBehind('Bluetooth reconnects over D-Bus', async () => {
        const connect = { type: 'ble' as const, target: 'Anna_c3d4', hub };
        const radio = createRadio({ name: 'ble', connect, clock: systemClock, random: () => 0, logger: silentLogger });
        radio.start(new RecordingSink());
        await eventually('the radio', () => (radio.state().status === 'ready' ? true : null));
        await radio.stop();
      });
    },
    LONG_TEST_MS,
  );

  it('is listed by mmrelay radios, and taken by connection_type auto as the only one there is', async () => {
    const { stage } = await stageOnBluez();
    const { stdout } = await run(process.execPath, [MAIN, 'radios', '--ask', '--json']);
    const { radios } = JSON.parse(stdout) as { radios: readonly object[] };
    const itself = { kind: 'ble', target: 'F0:F1:F2:F3:F4:F5', name: 'Virtual Relay', firmware: '2.7.26.54e0d8d' };
    expect(radios).toContainEqual({ ...itself, detail: '-61 dBm', busy: null });

    stage.start({ kind: 'auto' });
    await stage.ready();
    stage.meshSays(1);
    await stage.roomSays(1);
    expect(await stage.judge()).toEqual({ toMatrix: 1, toMesh: 1 });
    expect(stage.logs.join('\n')).toContain('found one radio, using it {"kind":"ble","target":"F0:F1:F2:F3:F4:F5"');
  });

  it(
    'the daemon carries both ways through cuts of link, adapter and bluetoothd (100 each with MMRELAY_E2E_FULL) without loss or copy',
    async () => {
      const { stage, bluez } = await stageOnBluez();
      stage.start({ kind: 'ble', address: 'Rel_cafe' });
      await relayUnderCuts(stage, [
        { name: 'bluetoothd restarted', begin: () => bluez.kill(), end: () => bluez.restart() },
        { name: 'link lost', begin: async () => bluez.command('away'), end: async () => bluez.command('near') },
        { name: 'adapter off', begin: async () => bluez.command('off'), end: async () => bluez.command('on') },
      ]);
    },
    LONG_TEST_MS,
  );
});
