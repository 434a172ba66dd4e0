import type {
  MatrixPort,
  MatrixSink,
  NewRoom,
  OutgoingPacket,
  RadioPort,
  RadioSink,
  RadioState,
  RoomEvent,
  RoomSend,
} from '../../src/relay/ports.ts';
import type { JsonObject } from '../../src/util/json.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { BOT, RADIO_INFO } from './relay-fixture.ts';

/** A radio port under the test's hand: it records what it is given and says what it is told to say. */
export class FakeRadio implements RadioPort {
  readonly name: string;
  readonly sent: OutgoingPacket[] = [];
  /** What the radio answers to each packet; default: a queue status that accepts. */
  answer: (packet: OutgoingPacket) => void = (packet) => this.accept(packet);
  sink: RadioSink | null = null;
  #ready = true;
  #nextId = 1_000;

  constructor(name = 'default') {
    this.name = name;
  }

  accept(packet: OutgoingPacket, free = 15): void {
    this.sink?.onQueueStatus({ res: 0, free, maxlen: 16, packetId: packet.id });
  }

  start(sink: RadioSink): void {
    this.sink = sink;
    sink.onState(this.state());
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  state(): RadioState {
    return {
      status: this.#ready ? 'ready' : 'backing-off',
      sinceMs: 0,
      reason: this.#ready ? null : 'cut',
      attempts: 0,
    };
  }

  /** False: as before the first handshake. */
  isKnown = true;

  info(): typeof RADIO_INFO | null {
    return this.isKnown ? RADIO_INFO : null;
  }

  nodes(): ReturnType<RadioPort['nodes']> {
    return new Map();
  }

  newPacketId(): number {
    this.#nextId += 1;
    return this.#nextId;
  }

  send(packet: OutgoingPacket): Promise<void> {
    if (!this.#ready)
      return Promise.reject(new RelayError('RADIO_NOT_READY', 'not ready', { retry: { kind: 'later' } }));
    this.sent.push(packet);
    queueMicrotask(() => this.answer(packet));
    return Promise.resolve();
  }

  setReady(ready: boolean): void {
    this.#ready = ready;
    this.sink?.onState(this.state());
  }

  texts(): string[] {
    return this.sent.map((packet) => new TextDecoder().decode(packet.payload));
  }
}

/** A Matrix port under the test's hand, with transaction ids as a homeserver treats them. */
export class FakeMatrix implements MatrixPort {
  readonly sent: RoomSend[] = [];
  /** Throw from here to refuse a send. */
  refuse: (send: RoomSend) => RelayError | null = () => null;
  /** True: the event arrives but the answer is lost. */
  loseAnswers = false;
  sink: MatrixSink | null = null;
  sinceToken: string | null = null;
  awaited: readonly RoomEvent[] = [];
  #byTxn = new Map<string, string>();
  #token = 0;

  start(sink: MatrixSink, sinceToken: string | null): void {
    this.sink = sink;
    this.sinceToken = sinceToken;
  }

  awaitKeys(events: readonly RoomEvent[]): void {
    this.awaited = events;
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  state(): ReturnType<MatrixPort['state']> {
    return { status: 'syncing', sinceMs: 0, reason: null, attempts: 0, lastSyncMs: 0 };
  }

  userId(): string {
    return BOT;
  }

  resolveRoom(idOrAlias: string): Promise<string> {
    return Promise.resolve(idOrAlias);
  }

  currentRoom(roomId: string): string {
    return roomId;
  }

  room(): null {
    return null;
  }

  powerLevel(): null {
    return null;
  }

  send(send: RoomSend): Promise<{ eventId: string }> {
    const refused = this.refuse(send);
    if (refused !== null) return Promise.reject(refused);
    const key = `${send.roomId} ${send.txnId}`;
    const known = this.#byTxn.get(key);
    const eventId = known ?? `$sent${this.#byTxn.size + 1}`;
    if (known === undefined) {
      this.#byTxn.set(key, eventId);
      this.sent.push(send);
    }
    if (this.loseAnswers)
      return Promise.reject(new RelayError('MATRIX_UNREACHABLE', 'cut', { retry: { kind: 'later' }, certain: false }));
    return Promise.resolve({ eventId });
  }

  readonly created: NewRoom[] = [];
  readonly states: { roomId: string; type: string; content: unknown }[] = [];

  createRoom(room: NewRoom): Promise<string> {
    if (!this.created.some(({ aliasLocalpart }) => aliasLocalpart === room.aliasLocalpart)) this.created.push(room);
    return Promise.resolve(`!${room.aliasLocalpart}:ex.org`);
  }

  setState(state: { roomId: string; type: string; content: JsonObject }): Promise<{ eventId: string }> {
    this.states.push(state);
    return Promise.resolve({ eventId: '$state' });
  }

  canEncrypt(): boolean {
    return false;
  }

  /** Delivers events as one sync answer. */
  sync(events: readonly RoomEvent[], initial = false): void {
    this.#token += 1;
    this.sink?.onSync({ events, nextToken: `t${this.#token}`, initial, gaps: [] });
  }

  bodies(): unknown[] {
    return this.sent.map((send) => send.content.body);
  }
}
