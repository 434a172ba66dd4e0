import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import { encodeFrame, FrameDecoder } from '../../src/radio/codec/framing.ts';
import type { CloseReason, Transport, TransportHandlers } from '../../src/radio/transport/types.ts';
import { RETRY_LATER, RelayError } from '../../src/util/relay-error.ts';
import { fromRadioFrames } from './captures.ts';

type FromRadioVariant = NonNullable<MessageInitShape<typeof Mesh.FromRadioSchema>['payloadVariant']>;
type ToRadioVariant = Mesh.ToRadio['payloadVariant'];

/** What the scripted radio does when asked; a test overrides single answers. */
export interface Script {
  open(attempt: number): 'accept' | 'refuse' | 'hang';
  wantConfig(link: PeerLink, nonce: number): void;
  heartbeat(link: PeerLink): void;
  packet(link: PeerLink, packet: Mesh.MeshPacket): void;
  disconnect(link: PeerLink): void;
}

/** Answers like firmware 2.7.26, with the frames of the captures. */
export const firmwareScript: Script = {
  open: () => 'accept',
  wantConfig: (link, nonce) => {
    const name = nonce === 69420 ? 'B-config-nonce-69420' : nonce === 69421 ? 'B-config-nonce-69421' : 'B-receives-dm';
    for (const frame of fromRadioFrames(name)) {
      if ('configCompleteId' in frame.msg) break;
      link.sendPayload(frame.bytes);
    }
    link.send({ case: 'configCompleteId', value: nonce });
  },
  heartbeat: (link) => link.send({ case: 'queueStatus', value: { free: 16, maxlen: 16 } }),
  packet: () => undefined,
  disconnect: (link) => link.evict(),
};

/** A radio in the process: every call of `factory` is one connection attempt to it. */
export class ScriptedPeer {
  readonly script: Script;
  readonly links: PeerLink[] = [];
  attempts = 0;

  constructor(script: Partial<Script> = {}) {
    this.script = { ...firmwareScript, ...script };
  }

  readonly factory = (): Transport => {
    this.attempts += 1;
    const link = new PeerLink(this.script, this.script.open(this.attempts));
    this.links.push(link);
    return link;
  };

  get last(): PeerLink {
    const link = this.links.at(-1);
    if (link === undefined) throw new Error('nobody connected yet');
    return link;
  }
}

/** One connection: a Transport on our side, the radio's hand on the other. */
export class PeerLink implements Transport {
  readonly framing = 'stream';
  readonly label = 'scripted';
  /** Everything we wrote, by case. */
  readonly heard: ToRadioVariant[] = [];
  isOpen = false;
  /** What a close of our side waits for. */
  closing: Promise<void> = Promise.resolve();
  readonly #script: Script;
  readonly #mood: 'accept' | 'refuse' | 'hang';
  readonly #decoder: FrameDecoder;
  #handlers: TransportHandlers | null = null;
  #together: Uint8Array[] | null = null;

  constructor(script: Script, mood: 'accept' | 'refuse' | 'hang') {
    this.#script = script;
    this.#mood = mood;
    this.#decoder = new FrameDecoder({
      onFrame: (payload) => {
        this.#onToRadio(fromBinary(Mesh.ToRadioSchema, payload).payloadVariant);
        return true;
      },
    });
  }

  async open(handlers: TransportHandlers, signal: AbortSignal): Promise<void> {
    const refusal = new RelayError('RADIO_UNREACHABLE', 'refused by the script', { retry: RETRY_LATER });
    if (this.#mood === 'refuse') throw refusal;
    if (this.#mood === 'hang') {
      await new Promise<void>((_resolve, reject) => signal.addEventListener('abort', () => reject(refusal)));
    }
    this.#handlers = handlers;
    this.isOpen = true;
  }

  async write(bytes: Uint8Array): Promise<void> {
    if (!this.isOpen) throw new RelayError('RADIO_WRITE_FAILED', 'closed', { retry: RETRY_LATER, certain: false });
    queueMicrotask(() => this.#decoder.push(bytes)); // Answers never come from within a write, as on a wire.
  }

  async close(): Promise<void> {
    this.isOpen = false;
    this.#handlers = null;
    await this.closing;
  }

  count(kind: ToRadioVariant['case']): number {
    return this.heard.filter((variant) => variant.case === kind).length;
  }

  nonces(): number[] {
    return this.heard.flatMap((variant) => (variant.case === 'wantConfigId' ? [variant.value] : []));
  }

  send(payloadVariant: FromRadioVariant): void {
    this.sendPayload(toBinary(Mesh.FromRadioSchema, create(Mesh.FromRadioSchema, { payloadVariant })));
  }

  sendText(id: number, text: string): void {
    const payload = new TextEncoder().encode(text);
    const payloadVariant = { case: 'decoded' as const, value: { portnum: 1, payload } };
    this.send({ case: 'packet', value: { from: 99, to: 0xffffffff, id, payloadVariant } });
  }

  sendPayload(payload: Uint8Array): void {
    this.sendBytes(encodeFrame(payload));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#together === null) this.#handlers?.onBytes(bytes);
    else this.#together.push(bytes);
  }

  /** Everything sent in `work` arrives as one read. */
  inOneRead(work: () => void): void {
    this.#together = [];
    work();
    const bytes = Buffer.concat(this.#together);
    this.#together = null;
    this.sendBytes(bytes);
  }

  /** The radio closes in good order, as firmware does when another client comes. */
  end(reason: CloseReason): void {
    const handlers = this.#handlers;
    this.isOpen = false;
    this.#handlers = null;
    handlers?.onClose(reason);
  }

  evict(): void {
    this.end({ kind: 'peer', text: 'the radio closed the connection' });
  }

  break(): void {
    this.end({ kind: 'failed', text: 'connection lost' });
  }

  #onToRadio(variant: ToRadioVariant): void {
    this.heard.push(variant);
    if (variant.case === 'wantConfigId') this.#script.wantConfig(this, variant.value);
    if (variant.case === 'heartbeat') this.#script.heartbeat(this);
    if (variant.case === 'packet') this.#script.packet(this, variant.value);
    if (variant.case === 'disconnect') this.#script.disconnect(this);
  }
}
