import { createServer, type Server, type Socket } from 'node:net';
import { fromBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame, FrameDecoder } from '../../src/radio/codec/framing.ts';
import { createRadio } from '../../src/radio/radio.ts';
import type { RadioPort } from '../../src/relay/ports.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';
import { listen } from '../support/listen.ts';
import { fromRadioFrames } from './captures.ts';
import { RecordingSink, textPacket } from './radio-rig.ts';

/** A TCP server that answers want_config from the captures, splits its bytes badly, and closes the old client for a new one. */
class TcpFirmware {
  readonly packets: Mesh.MeshPacket[] = [];
  readonly sockets: Socket[] = [];
  readonly server: Server = createServer((socket) => this.#onClient(socket));
  /** Packets for the phone, sent once the configuration is complete. */
  backlog: Uint8Array[] = [];

  listen(): Promise<number> {
    return listen(this.server);
  }

  #onClient(socket: Socket): void {
    this.sockets.at(-1)?.end();
    this.sockets.push(socket);
    socket.on('error', () => undefined);
    const decoder = new FrameDecoder({
      onFrame: (payload) => {
        const { payloadVariant } = fromBinary(Mesh.ToRadioSchema, payload);
        if (payloadVariant.case === 'wantConfigId') this.#configure(socket, payloadVariant.value);
        if (payloadVariant.case === 'packet') this.packets.push(payloadVariant.value);
        if (payloadVariant.case === 'disconnect') socket.end();
        return true;
      },
    });
    socket.on('data', (bytes) => decoder.push(bytes));
  }

  #configure(socket: Socket, nonce: number): void {
    const captured = fromRadioFrames(nonce === 69420 ? 'B-config-nonce-69420' : 'B-receives-dm');
    const end = captured.findIndex((frame) => 'configCompleteId' in frame.msg);
    const frames = [...captured.slice(0, end).map((frame) => frame.bytes), completeFrame(nonce)];
    const stream = Buffer.concat([Buffer.from('boot text\r\n\x94'), ...[...frames, ...this.backlog].map(encodeFrame)]);
    for (let at = 0; at < stream.length; at += 97) socket.write(stream.subarray(at, at + 97));
    this.backlog = [];
  }
}

function completeFrame(nonce: number): Uint8Array {
  const bytes = [0x38];
  let rest = nonce;
  for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80);
  return Uint8Array.from([...bytes, rest]);
}

const textFrame = (): Uint8Array => {
  const frame = fromRadioFrames('B-receives-dm').find(({ msg }) => 'packet' in msg);
  if (frame === undefined) throw new Error('the capture holds a text');
  return frame.bytes;
};

describe('radio over TCP', () => {
  const cleanups: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  });

  async function setUp() {
    const firmware = new TcpFirmware();
    const port = await firmware.listen();
    const clock = new ManualClock();
    const sink = new RecordingSink();
    const connect = { type: 'tcp' as const, host: '127.0.0.1', port };
    const radio: RadioPort = createRadio({ name: 'main', connect, clock, random: Math.random, logger: silentLogger });
    cleanups.push(async () => {
      await radio.stop();
      for (const socket of firmware.sockets) socket.destroy();
      await new Promise((resolve) => firmware.server.close(resolve));
    });
    return { firmware, clock, sink, radio, port };
  }

  it('gets ready, sends, is cut by a reset in mid-frame, returns fast and takes the backlog', async () => {
    const { firmware, clock, sink, radio } = await setUp();
    radio.start(sink);
    await until(() => radio.state().status === 'ready');
    await radio.send(textPacket(0xfedcba98, 'over TCP'));
    await until(() => firmware.packets.length === 1);
    expect(firmware.packets[0]).toMatchObject({ id: 0xfedcba98, hopLimit: 3, wantAck: true });

    firmware.backlog = [textFrame()];
    firmware.sockets[0]?.write(encodeFrame(textFrame()).subarray(0, 30), () => firmware.sockets[0]?.resetAndDestroy());
    await until(() => radio.state().status === 'backing-off');
    expect(sink.packets).toEqual([]);
    await clock.advance(1_000);
    await until(() => sink.packets.length === 1);
    expect(sink.texts()).toEqual(['grüße 🌐 from capture']);
    expect(radio.state().status).toBe('ready');
  });

  it('stops with a goodbye that brings in what was on the way', async () => {
    const { firmware, sink, radio } = await setUp();
    radio.start(sink);
    await until(() => radio.state().status === 'ready');
    firmware.sockets[0]?.write(encodeFrame(textFrame()));
    await radio.stop();
    expect(sink.texts()).toEqual(['grüße 🌐 from capture']);
    expect(sink.statuses().at(-1)).toBe('stopped');
    await until(() => firmware.sockets[0]?.destroyed === true);
  });

  it('two of them at one radio evict each other, and both end up waiting in words', async () => {
    const { clock, sink, radio, port } = await setUp();
    const rivalSink = new RecordingSink();
    const connect = { type: 'tcp' as const, host: '127.0.0.1', port };
    const rival = createRadio({ name: 'rival', connect, clock, random: () => 0.5, logger: silentLogger });
    cleanups.push(() => rival.stop());
    radio.start(sink);
    await until(() => radio.state().status === 'ready');
    rival.start(rivalSink);
    const isKicked = (): boolean => [...sink.states, ...rivalSink.states].some(({ status }) => status === 'kicked');
    while (!isKicked()) {
      await clock.advance(500);
      await turn();
    }
    const kicked = [...sink.states, ...rivalSink.states].find(({ status }) => status === 'kicked');
    expect(kicked?.reason).toBe('another client took the radio (it serves one at a time)');
  });
});

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Waits for real events of the operating system; the test's own timeout bounds it. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}
