import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import { encodeFrame, FrameDecoder } from '../../../src/radio/codec/framing.ts';

type Variant = Mesh.FromRadio['payloadVariant'];
type Case = NonNullable<Variant['case']>;
export type Received<C extends Case> = Extract<Variant, { case: C }>['value'];

/** A client that records every frame, for tests of the virtual radio. Independent of the relay's own session. */
export class TestClient {
  readonly frames: Variant[] = [];
  readonly raw: Uint8Array[] = [];
  junkBytes = 0;
  ended = false;
  readonly socket: Socket;
  readonly #waiting = new Set<() => void>();

  constructor(port: number) {
    this.socket = connect(port, '127.0.0.1');
    const decoder = new FrameDecoder({
      onFrame: (payload) => {
        this.raw.push(payload);
        this.frames.push(fromBinary(Mesh.FromRadioSchema, payload).payloadVariant);
        return true;
      },
      onJunk: (bytes) => {
        this.junkBytes += bytes.length;
      },
    });
    this.socket.on('data', (chunk: Uint8Array) => {
      decoder.push(chunk);
      this.#wake();
    });
    this.socket.on('error', () => undefined);
    for (const event of ['end', 'close']) {
      this.socket.on(event, () => {
        this.ended = true;
        this.#wake();
      });
    }
  }

  static async connect(port: number): Promise<TestClient> {
    const client = new TestClient(port);
    await once(client.socket, 'connect');
    return client;
  }

  /** Connected and through the handshake. */
  static async ready(port: number, nonce = 4711): Promise<TestClient> {
    const client = await TestClient.connect(port);
    client.send({ case: 'wantConfigId', value: nonce });
    await client.until(() => client.all('configCompleteId').includes(nonce));
    return client;
  }

  all<C extends Case>(kind: C): Received<C>[] {
    return this.frames.flatMap((frame) => (frame.case === kind ? [frame.value as Received<C>] : []));
  }

  /** Routing errors by request id, in order. */
  routing(): { readonly id: number; readonly error: string; readonly from: number }[] {
    return this.all('packet').flatMap((packet) => {
      if (packet.payloadVariant.case !== 'decoded' || packet.payloadVariant.value.portnum !== 5) return [];
      const data = packet.payloadVariant.value;
      const routing = fromBinary(Mesh.RoutingSchema, data.payload);
      const code = routing.variant.case === 'errorReason' ? routing.variant.value : -1;
      return [{ id: data.requestId, error: Mesh.Routing_Error[code] ?? String(code), from: packet.from }];
    });
  }

  texts(): string[] {
    return this.all('packet').flatMap((packet) =>
      packet.payloadVariant.case === 'decoded' && packet.payloadVariant.value.portnum === 1
        ? [new TextDecoder().decode(packet.payloadVariant.value.payload)]
        : [],
    );
  }

  send(payloadVariant: NonNullable<MessageInitShape<typeof Mesh.ToRadioSchema>['payloadVariant']>): void {
    this.socket.write(encodeFrame(toBinary(Mesh.ToRadioSchema, create(Mesh.ToRadioSchema, { payloadVariant }))));
  }

  packet(
    id: number,
    fields: { to?: number; portnum?: number; bytes?: number; channel?: number; wantAck?: boolean } = {},
  ) {
    const { to = 0xffffffff, portnum = 1, bytes = 10, channel = 0, wantAck = false } = fields;
    const data = { portnum, payload: new Uint8Array(bytes).fill(65) };
    const payloadVariant = { case: 'decoded', value: data } as const;
    this.send({ case: 'packet', value: { id, to, channel, wantAck, hopLimit: 3, payloadVariant } });
  }

  /** Resolves when the condition holds, looked at after each chunk. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Everything sent before has been handled by the radio and answered. */
  async sync(): Promise<void> {
    const seen = this.all('queueStatus').length;
    this.send({ case: 'heartbeat', value: {} });
    await this.until(() => this.all('queueStatus').length > seen && this.all('queueStatus').at(-1)?.meshPacketId === 0);
  }

  close(): void {
    this.socket.destroy();
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
