import type { MatrixPort, MatrixSink, MatrixState, RoomEvent, RoomSend } from '../../../src/relay/ports.ts';
import type { ManualClock } from '../../../src/util/manual-clock.ts';
import { RETRY_LATER, RelayError } from '../../../src/util/relay-error.ts';
import { BOT } from '../../support/relay-fixture.ts';
import type { Life } from './life.ts';

export type SimOutage = 'refuse' | 'hang' | 'rate-limit' | 'lose-answers';

const SYNC_MS = 200;
const HANG_MS = 30_000;

/** A homeserver: one timeline for all rooms, transaction ids, and outages. Outlives the relays that talk to it. */
export class SimHomeserver {
  readonly clock: ManualClock;
  readonly random: () => number;
  readonly timeline: RoomEvent[] = [];
  readonly sent: RoomSend[] = [];
  outage: SimOutage | null = null;
  /** The server (or a proxy) gives old answers again. */
  repeats = false;
  readonly #byTxn = new Map<string, string>();

  constructor(clock: ManualClock, random: () => number) {
    this.clock = clock;
    this.random = random;
  }

  /** Takes an event; the id. */
  say(event: Partial<RoomEvent> & Pick<RoomEvent, 'roomId' | 'sender' | 'type' | 'content'>): string {
    const eventId = `$e${this.timeline.length}`;
    const facts = { senderName: 'Alice', stateKey: null, redacts: null, encrypted: false, undecryptable: null };
    this.timeline.push({ ...facts, timestampMs: this.clock.now(), ...event, eventId });
    return eventId;
  }

  accept(send: RoomSend): string {
    const key = `${send.roomId} ${send.txnId}`;
    const known = this.#byTxn.get(key);
    if (known !== undefined) return known;
    this.sent.push(send);
    const { roomId, type, content } = send;
    const eventId = this.say({ roomId, type, content, sender: BOT });
    this.#byTxn.set(key, eventId);
    return eventId;
  }
}

/** The adapter of one life. */
export class SimMatrix implements MatrixPort {
  readonly #server: SimHomeserver;
  readonly #life: Life;
  #sink: MatrixSink | null = null;
  #position = 0;
  #initial = false;

  constructor(server: SimHomeserver, life: Life) {
    this.#server = server;
    this.#life = life;
  }

  start(sink: MatrixSink, sinceToken: string | null): void {
    this.#sink = sink;
    this.#initial = sinceToken === null;
    this.#position = Number(sinceToken ?? 0);
    this.#later(SYNC_MS, () => this.#sync());
  }

  stop(): Promise<void> {
    return Promise.resolve();
  }

  state(): MatrixState {
    return { status: 'syncing', sinceMs: 0, reason: null, attempts: 0, lastSyncMs: 0 };
  }

  userId(): string {
    return BOT;
  }

  resolveRoom(idOrAlias: string): Promise<string> {
    return this.#request(() => idOrAlias);
  }

  room(): null {
    return null;
  }

  powerLevel(): null {
    return null;
  }

  canEncrypt(): boolean {
    return false;
  }

  createRoom(): Promise<string> {
    return Promise.reject(new Error('no room is created here'));
  }

  setState(): Promise<{ eventId: string }> {
    return Promise.resolve({ eventId: '$state' });
  }

  send(send: RoomSend): Promise<{ eventId: string }> {
    this.#life.check();
    return this.#request(() => ({ eventId: this.#server.accept(send) }));
  }

  /** Never settles in a life that has ended. */
  #request<T>(work: () => T): Promise<T> {
    const { random } = this.#server;
    return new Promise((resolve, reject) => {
      // The request is on its way even if we die now.
      this.#server.clock.after(random() * 300, () => {
        const { outage } = this.#server;
        const fail = (error: RelayError, afterMs: number): void => this.#later(afterMs, () => reject(error));
        if (outage === 'refuse') fail(unreachable(), 5);
        else if (outage === 'hang') fail(unreachable(), HANG_MS);
        else if (outage === 'rate-limit') fail(limited(), 5);
        else {
          const answer = work();
          if (outage === 'lose-answers') fail(unreachable(), 20);
          else this.#later(random() * 300, () => resolve(answer));
        }
      });
    });
  }

  #sync(): void {
    const { outage, random, timeline, repeats } = this.#server;
    if (outage === null && this.#sink !== null) {
      const since = repeats ? Math.max(0, this.#position - Math.floor(random() * 6)) : this.#position;
      const until = Math.min(timeline.length, since + 1 + Math.floor(random() * 10));
      this.#deliver(timeline.slice(since, until), Math.max(until, this.#position));
    }
    this.#later(SYNC_MS * (0.2 + random() * 3), () => this.#sync());
  }

  #deliver(events: readonly RoomEvent[], position: number): void {
    try {
      this.#sink?.onSync({ events, nextToken: String(position), initial: this.#initial, gaps: [] });
      this.#position = position;
      this.#initial = false;
    } catch (error) {
      if (!this.#life.dead && !(error instanceof RelayError)) throw error;
    }
  }

  #later(delayMs: number, work: () => void): void {
    this.#server.clock.after(delayMs, () => {
      if (!this.#life.dead) work();
    });
  }
}

function unreachable(): RelayError {
  return new RelayError('MATRIX_UNREACHABLE', 'cut', { retry: RETRY_LATER, certain: false });
}

function limited(): RelayError {
  return new RelayError('MATRIX_RATE_LIMITED', 'too fast', { retry: { kind: 'after', ms: 3_000 } });
}
