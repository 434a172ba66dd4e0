import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createRadio } from '../../src/radio/radio.ts';
import type { SharedRadio } from '../../src/radio/radio-tap.ts';
import type { SerialDriver } from '../../src/radio/serial/driver.ts';
import { SYSTEM_ROOTS } from '../../src/radio/serial/ports.ts';
import { serialPortDriver } from '../../src/radio/serial/serialport-driver.ts';
import { SerialTransport } from '../../src/radio/transport/serial.ts';
import { createVirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { systemClock } from '../../src/util/clock.ts';
import type { ManualClock } from '../../src/util/manual-clock.ts';
import { describeTransport, type TransportRig } from '../contract/transport-contract.ts';
import { RecordingSink } from '../radio/radio-rig.ts';
import { listen } from '../support/listen.ts';
import { loggerTo } from '../support/logger-to.ts';
import { eventually } from './support/eventually.ts';
import { openOn, SerialCable, socatMissing } from './support/pty.ts';
import { LONG_TEST_MS, RadioStage, relayUnderCuts } from './support/radio-stage.ts';

const missing = socatMissing();
if (missing !== null && process.env.MMRELAY_E2E_REQUIRED === '1') throw new Error(missing);
const named = (title: string): string => (missing === null ? title : `${title} (skipped: ${missing})`);

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

/** A TCP server for the far end of a cable. */
async function farEnd() {
  const sockets: Socket[] = [];
  const received: Uint8Array[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (bytes) => received.push(bytes));
  });
  const port = await listen(server);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  };
  return { port, sockets, received, close };
}

const WAKE_UP_BYTES = 32;

async function createPtyRig(): Promise<TransportRig> {
  const far = await farEnd();
  const cable = new SerialCable({ host: '127.0.0.1', port: far.port });
  await cable.plug();
  const folder = mkdtempSync(join(tmpdir(), 'mmrelay-no-port-'));
  const over = (path: string, driver: SerialDriver) => (clock: ManualClock) =>
    new SerialTransport({
      path,
      clock,
      system: { driver, roots: SYSTEM_ROOTS, pid: process.pid, listPorts: async () => [] },
      memory: { usb: null },
      wakeUpMs: 0,
    });
  // No real port hangs in opening; a stuck USB driver would.
  const stuck: SerialDriver = { open: () => new Promise(() => undefined) };
  return {
    endKind: 'failed',
    reachable: over(cable.path, serialPortDriver),
    refused: over(join(folder, 'ttyUSB0'), serialPortDriver),
    unanswered: over(cable.path, stuck),
    async peer() {
      const socket = await eventually('the far end', () => far.sockets[0] ?? null);
      return {
        async send(bytes) {
          await new Promise<void>((resolve) => socket.write(bytes, () => resolve()));
        },
        received: () => Buffer.concat(far.received).subarray(WAKE_UP_BYTES),
        end: () => socket.end(), // socat passes on what it has, then hangs up.
        vanish: () => void cable.unplug(),
      };
    },
    openHandles: () => openOn(cable.path),
    async dispose() {
      await cable.close();
      await far.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

if (missing === null) describeTransport('serial, on a socat pseudo-terminal', createPtyRig);
else describe.skip(named('transport contract: serial'), () => it('runs on socat', () => undefined));

describe.skipIf(missing !== null)(named('a radio on a serial cable'), () => {
  async function connected(): Promise<{
    radio: SharedRadio;
    sink: RecordingSink;
    lines: string[];
    cable: SerialCable;
  }> {
    const device = await createVirtualRadio({ nodes: [{ num: 7, longName: 'Seven', shortName: '7' }] });
    closing.push(() => device.close());
    const cable = new SerialCable(device);
    closing.push(() => cable.close());
    await cable.plug();
    const lines: string[] = [];
    const logger = loggerTo((message, fields) => lines.push(`${message} ${JSON.stringify(fields)}`));
    const connect = { type: 'serial' as const, path: cable.path };
    const radio = createRadio({ name: 'usb', connect, clock: systemClock, random: () => 0, logger });
    closing.push(() => radio.stop());
    const sink = new RecordingSink();
    radio.start(sink);
    await eventually('the radio', () => (radio.state().status === 'ready' ? true : null));
    return { radio, sink, lines, cable };
  }

  it('is ready, and tells how it went through an unplugged cable', async () => {
    const { radio, sink, cable } = await connected();
    expect(radio.info()?.firmwareVersion).toBe('2.7.26.54e0d8d');
    await cable.unplug();
    await eventually('the loss', () => (radio.state().status === 'backing-off' ? true : null));
    expect(radio.state().reason).toMatch(/the port (went away|failed)/);
    await cable.plug();
    await eventually('the radio again', () => (radio.state().status === 'ready' ? true : null));
    const statuses = sink.states.map(({ status }) => status);
    expect(statuses.slice(0, 4)).toEqual(['connecting', 'handshaking', 'ready', 'backing-off']);
    expect(statuses.slice(-3)).toEqual(['connecting', 'handshaking', 'ready']);
  });

  it(
    'carries both ways through 8 cuts (100 with MMRELAY_E2E_FULL) without loss or copy',
    async () => {
      const stage = await RadioStage.build();
      closing.push(() => stage.close());
      const cable = new SerialCable(stage.radio);
      closing.push(() => cable.close());
      await cable.plug();
      stage.start({ kind: 'serial', path: cable.path });
      await relayUnderCuts(stage, [{ name: 'pty closed', begin: () => cable.unplug(), end: () => cable.plug() }]);
    },
    LONG_TEST_MS,
  );
});
