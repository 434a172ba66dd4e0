import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../src/radio/codec/framing.ts';
import { createRadio } from '../../../src/radio/radio.ts';
import type { SerialDriver, SerialLinkHandlers } from '../../../src/radio/serial/driver.ts';
import { listLinuxPorts } from '../../../src/radio/serial/ports.ts';
import { type SerialMemory, SerialTransport } from '../../../src/radio/transport/serial.ts';
import { type LogFields, type Logger, silentLogger } from '../../../src/util/logger.ts';
import { ManualClock, settle } from '../../../src/util/manual-clock.ts';
import { describeTransport, type TransportRig } from '../../contract/transport-contract.ts';
import { RecordingSink } from '../radio-rig.ts';
import { Machine } from '../serial/machine.ts';

const WAKE_UP_BYTES = 32;

/** A driver whose ports live in the process. */
class ScriptedDriver implements SerialDriver {
  readonly opened: string[] = [];
  readonly written: number[] = [];
  openPorts = 0;
  answer: 'open' | 'hang' | Error = 'open';
  #handlers: SerialLinkHandlers | null = null;

  async open(path: string, handlers: SerialLinkHandlers) {
    this.opened.push(path);
    if (this.answer === 'hang') return new Promise<never>(() => undefined);
    if (this.answer instanceof Error) throw this.answer;
    this.#handlers = handlers;
    this.openPorts += 1;
    return {
      write: async (bytes: Uint8Array) => void this.written.push(...bytes.subarray(0, 1_000)),
      close: async () => {
        if (this.#handlers !== null) this.openPorts -= 1;
        this.#handlers = null;
      },
    };
  }

  send(bytes: Uint8Array): void {
    this.#handlers?.onBytes(bytes);
  }

  unplug(): void {
    const handlers = this.#handlers;
    this.#handlers = null;
    this.openPorts -= 1;
    handlers?.onClose('the port went away (unplugged?)');
  }
}

const BOARD = {
  name: 'ttyUSB0',
  vendorId: '10c4',
  productId: 'ea60',
  serial: '0001',
  product: 'CP2102 USB to UART Bridge Controller',
  byId: 'usb-Silicon_Labs_CP2102_0001-if00-port0',
};

const machines: Machine[] = [];
afterEach(() => {
  for (const machine of machines.splice(0)) machine.remove();
});

function setUp() {
  const machine = new Machine();
  machines.push(machine);
  const driver = new ScriptedDriver();
  const memory: SerialMemory = { usb: null };
  const system = { driver, roots: machine.roots, pid: 1, listPorts: () => listLinuxPorts(machine.roots) };
  const transport = (path: string, clock = new ManualClock()): SerialTransport =>
    new SerialTransport({ path, clock, system, memory, wakeUpMs: 0 });
  const open = (path: string): Promise<void> =>
    transport(path).open({ onBytes: () => undefined, onClose: () => undefined }, new AbortController().signal);
  return { machine, driver, memory, transport, open };
}

async function createScriptedRig(): Promise<TransportRig> {
  const { machine, driver, transport } = setUp();
  const path = machine.plug(BOARD);
  const answering =
    (answer: ScriptedDriver['answer']) =>
    (clock: ManualClock): SerialTransport => {
      driver.answer = answer;
      return transport(path, clock);
    };
  return {
    endKind: 'failed',
    reachable: answering('open'),
    refused: answering(new Error('Error: Input/output error, cannot open')),
    unanswered: answering('hang'),
    peer: async () => ({
      send: async (bytes) => driver.send(bytes),
      received: () => Uint8Array.from(driver.written.slice(WAKE_UP_BYTES)),
      end: () => driver.unplug(),
      vanish: () => driver.unplug(),
    }),
    openHandles: () => driver.openPorts,
    dispose: async () => undefined,
  };
}

describeTransport('serial, scripted driver', createScriptedRig);

describe('serial', () => {
  it('wakes the radio before anything else', async () => {
    const { machine, driver, open } = setUp();
    await open(machine.plug(BOARD));
    expect(driver.written).toEqual(new Array(WAKE_UP_BYTES).fill(0xc3));
  });

  it('keeps console text out of the protocol, and shows it at debug', async () => {
    const { machine, driver, transport } = setUp();
    const path = machine.plug(BOARD);
    const lines: unknown[] = [];
    const debug = (message: string, fields: LogFields = {}): void => {
      if (message === 'radio console') lines.push(fields.line);
    };
    const logger: Logger = { ...silentLogger, debug, child: () => logger };
    const clock = new ManualClock();
    const connect = { type: 'custom' as const, transports: () => transport(path, clock) };
    const radio = createRadio({ name: 'usb', connect, clock, random: () => 0.5, logger });
    const sink = new RecordingSink();
    radio.start(sink);
    while (radio.state().status !== 'handshaking') await settle();
    const wantConfig = driver.written.slice(WAKE_UP_BYTES + 4);
    const text = (words: string): Buffer => Buffer.from(`\u001b[32mINFO  | ${words}\u001b[0m\r\n`);
    const myInfo = encodeFrame(Uint8Array.of(0x1a, 0x02, 0x08, 0x07));
    // configCompleteId with the nonce that was asked for.
    const complete = encodeFrame(Uint8Array.of(0x38, ...wantConfig.slice(1)));
    const stream = Buffer.concat([text('boot'), myInfo, text('half a frame follows'), complete, text('done')]);
    for (let at = 0; at < stream.length; at += 5) driver.send(stream.subarray(at, at + 5));
    expect(radio.state().status).toBe('ready');
    expect(lines).toEqual(['INFO  | boot', 'INFO  | half a frame follows', 'INFO  | done']);
    const stopping = radio.stop();
    await clock.advance(1_000);
    await stopping;
    expect(driver.openPorts).toBe(0);
  });

  it('gives the radio 100 ms to wake up', async () => {
    const { machine, driver } = setUp();
    const clock = new ManualClock();
    const path = machine.plug(BOARD);
    const system = { driver, roots: machine.roots, pid: 1, listPorts: () => listLinuxPorts(machine.roots) };
    const waking = new SerialTransport({ path, clock, system, memory: { usb: null }, wakeUpMs: 100 });
    const state = { open: false };
    const opening = waking
      .open({ onBytes: () => undefined, onClose: () => undefined }, new AbortController().signal)
      .then(() => {
        state.open = true;
      });
    while (driver.written.length === 0) await settle();
    await clock.advance(99);
    expect(state.open).toBe(false);
    await clock.advance(1);
    await opening;
  });

  it('finds the device again under its new path, by USB id', async () => {
    const { machine, driver, open } = setUp();
    const path = machine.plug(BOARD);
    await open(path);
    machine.unplug('ttyUSB0');
    machine.plug({ ...BOARD, name: 'ttyUSB3', serial: 'another', byId: 'other' });
    await expect(open(path)).rejects.toThrow(/no such port \(is the radio plugged in\?\); there is .*by-id\/other/);
    machine.plug({ ...BOARD, name: 'ttyUSB1', byId: 'same' });
    await open(path);
    expect(driver.opened).toEqual([path, `${machine.roots.dev}/ttyUSB1`]);
  });

  it('does not guess between two devices that look the same', async () => {
    const { machine, open } = setUp();
    const anonymous = { name: 'ttyUSB0', vendorId: '1a86', productId: '7523' };
    const path = machine.plug(anonymous);
    await open(path);
    machine.unplug('ttyUSB0');
    machine.plug({ ...anonymous, name: 'ttyUSB1' });
    machine.plug({ ...anonymous, name: 'ttyUSB2' });
    await expect(open(path)).rejects.toThrow(/there is .*ttyUSB1, .*ttyUSB2/);
  });

  it('opens a by-id name, and suggests it when the path is wrong', async () => {
    const { machine, driver, open } = setUp();
    machine.plug(BOARD);
    const byId = `${machine.roots.dev}/serial/by-id/${BOARD.byId}`;
    await open(byId);
    expect(driver.opened).toEqual([`${machine.roots.dev}/ttyUSB0`]);
    await expect(setUpOn(machine).open(`${machine.roots.dev}/ttyUSB9`)).rejects.toThrow(`there is ${byId}`);
  });

  it('says when there is no port at all', async () => {
    const { machine, open } = setUp();
    await expect(open(`${machine.roots.dev}/ttyUSB0`)).rejects.toThrow(
      /no USB serial port is there at all \(in a container it must be passed in with --device\)/,
    );
  });

  it('names the group when the port is forbidden, and the container flag', async () => {
    const { machine, driver, open } = setUp();
    const path = machine.plug(BOARD);
    machine.write('etc/group', `dialout:x:${process.getgid?.() ?? 0}:\n`);
    driver.answer = new Error(`Error: Permission denied, cannot open ${path}`);
    await expect(open(path)).rejects.toThrow(
      /belongs to group dialout\. Add .*usermod -aG dialout .*in a container: --device .* --group-add \d+/,
    );
  });

  it('names the program that has the port', async () => {
    const { machine, driver, open } = setUp();
    const path = machine.plug(BOARD);
    machine.hold(1, 'mmrelay', path);
    await open(path);
    machine.hold(4711, 'python3', path);
    await expect(open(path)).rejects.toThrow(/the port is used by python3 \(pid 4711\)/);
    expect(driver.opened.length).toBe(1);
  });

  it('says that the port is busy when it cannot see by whom', async () => {
    const { machine, driver, open } = setUp();
    driver.answer = new Error('Error Resource temporarily unavailable Cannot lock port');
    await expect(open(machine.plug(BOARD))).rejects.toThrow(/the port is used by another program/);
  });
});

function setUpOn(machine: Machine) {
  const driver = new ScriptedDriver();
  const system = { driver, roots: machine.roots, pid: 1, listPorts: () => listLinuxPorts(machine.roots) };
  const open = (path: string): Promise<void> =>
    new SerialTransport({ path, clock: new ManualClock(), system, memory: { usb: null }, wakeUpMs: 0 }).open(
      { onBytes: () => undefined, onClose: () => undefined },
      new AbortController().signal,
    );
  return { open };
}

describe('the list of serial ports', () => {
  it('knows boards by their USB id, and their stable names', async () => {
    const { machine } = setUp();
    machine.plug(BOARD);
    machine.plug({ name: 'ttyACM0', vendorId: '239a', productId: '8029', serial: 'AB12', product: 'WisCore RAK4631' });
    machine.plug({ name: 'ttyUSB7', vendorId: '067b', productId: '2303' });
    machine.write('sys/class/tty/tty0/dev', '4:0');
    const ports = await listLinuxPorts(machine.roots);
    expect(ports.map(({ path, product, board }) => [path.slice(machine.roots.dev.length), product, board])).toEqual([
      ['/ttyACM0', 'WisCore RAK4631', 'nRF52840 board (RAK4631, T-Echo and kin)'],
      ['/ttyUSB0', BOARD.product, 'CP210x serial chip (Heltec V2, T-Beam)'],
      ['/ttyUSB7', null, null],
    ]);
    expect(ports[1]?.byId).toBe(`${machine.roots.dev}/serial/by-id/${BOARD.byId}`);
  });

  it('is empty on a machine without any', async () => {
    const { machine } = setUp();
    expect(await listLinuxPorts(machine.roots)).toEqual([]);
  });
});
