import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import { encodeFrame, FrameDecoder } from '../../../src/radio/codec/framing.ts';

type FromRadio = Mesh.FromRadio['payloadVariant'];
type ToRadio = NonNullable<MessageInitShape<typeof Mesh.ToRadioSchema>['payloadVariant']>;
type DataFields = MessageInitShape<typeof Mesh.DataSchema>;

/** A client of the radio API with nothing in between: what it got, as it came. */
export class TestClient {
  readonly got: FromRadio[] = [];
  readonly raw: Uint8Array[] = [];
  readonly socket: Socket;
  closed = false;
  #waiting = new Set<() => void>();

  private constructor(socket: Socket) {
    this.socket = socket;
    const decoder = new FrameDecoder({
      onFrame: (payload) => {
        this.raw.push(payload);
        this.got.push(fromBinary(Mesh.FromRadioSchema, payload).payloadVariant);
        return true;
      },
    });
    socket.on('data', (chunk) => {
      decoder.push(chunk);
      this.#wake();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
      this.#wake();
    });
  }

  static async connect(port: number): Promise<TestClient> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new TestClient(socket);
  }

  /** Connected and configured. */
  static async ready(port: number, nonce = 4711): Promise<TestClient> {
    const client = await TestClient.connect(port);
    client.send({ case: 'wantConfigId', value: nonce });
    await client.until(() => client.got.some((message) => message.case === 'configCompleteId'));
    return client;
  }

  send(payloadVariant: ToRadio): void {
    this.socket.write(encodeFrame(toBinary(Mesh.ToRadioSchema, create(Mesh.ToRadioSchema, { payloadVariant }))));
  }

  /** A packet for the mesh; its id. */
  packet(id: number, data: DataFields, fields: MessageInitShape<typeof Mesh.MeshPacketSchema> = {}): number {
    const payloadVariant = { case: 'decoded', value: data } as const;
    this.send({ case: 'packet', value: { to: 0xffffffff, id, ...fields, payloadVariant } });
    return id;
  }

  text(id: number, text: string): number {
    return this.packet(id, { portnum: 1, payload: new TextEncoder().encode(text) }, { wantAck: true });
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Lets go of what it got. */
  forget(): void {
    this.got.length = 0;
    this.raw.length = 0;
  }

  packets(): Mesh.MeshPacket[] {
    return this.got.flatMap((message) => (message.case === 'packet' ? [message.value] : []));
  }

  texts(): string[] {
    return this.packets().flatMap(({ payloadVariant: data }) =>
      data.case === 'decoded' && data.value.portnum === 1 ? [new TextDecoder().decode(data.value.payload)] : [],
    );
  }

  /** Routing.Error numbers that came for this packet. */
  routing(id: number): number[] {
    return this.packets().flatMap(({ payloadVariant: data }) => {
      if (data.case !== 'decoded' || data.value.portnum !== 5 || data.value.requestId !== id) return [];
      const { variant } = fromBinary(Mesh.RoutingSchema, data.value.payload);
      return variant.case === 'errorReason' ? [variant.value] : [0];
    });
  }

  statuses(): number[] {
    return this.got.flatMap((message) => (message.case === 'queueStatus' ? [message.value.meshPacketId] : []));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}
