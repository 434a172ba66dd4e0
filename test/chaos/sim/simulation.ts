import { Engine } from '../../../src/relay/engine.ts';
import type { MeshPacket, OutgoingPacket, RadioPort } from '../../../src/relay/ports.ts';
import type { RelaySettings } from '../../../src/relay/settings.ts';
import { openStore } from '../../../src/store/open-store.ts';
import { silentLogger } from '../../../src/util/logger.ts';
import { ManualClock } from '../../../src/util/manual-clock.ts';
import { silentObserver } from '../../support/engine-fixture.ts';
import { packet, radioSettings, route, settings } from '../../support/relay-fixture.ts';
import { judge, type Verdict } from '../support/ledger.ts';
import { seededRandom } from '../support/random.ts';
import { type Disk, Killed, Life, mortalStore } from './life.ts';
import { SimHomeserver, SimMatrix, type SimOutage } from './sim-homeserver.ts';
import { SimRadio } from './sim-radio.ts';

export interface SimulationOptions {
  readonly seed: number;
  readonly radios: 1 | 2;
  readonly rounds: number;
}

export interface SimulationReport {
  readonly toMatrix: Verdict;
  readonly toMesh: Verdict;
  /** Replies and reactions on air that point to a packet nobody ever heard. */
  readonly dangling: readonly string[];
  readonly fatal: readonly unknown[];
  readonly counted: Readonly<Record<string, number>>;
}

const ROOMS = ['!room0:ex.org', '!room1:ex.org'] as const;
const OUTAGES: readonly SimOutage[] = ['refuse', 'hang', 'rate-limit', 'lose-answers'];
const START_MS = 1_750_000_000_000;
const MINUTE_MS = 60_000;
const CALM_MS = 90 * MINUTE_MS;
const BODY = /\b[mx]-\d-\d+\b/;

/**
 * The whole relay but its adapters, between a device and a homeserver that misbehave, on a clock of its own: ten lives
 * in seconds, and all kinds of trouble at once. One per seed. What the outside has taken or given is counted
 * at the end, as in the storm; what it cannot see (a transaction undone, a death between two lines) it cannot fake either.
 */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #random: () => number;
  readonly #clock = new ManualClock(START_MS, 'boot');
  readonly #server: SimHomeserver;
  readonly #radios: readonly SimRadio[];
  readonly #store: ReturnType<typeof openStore>;
  readonly #disk: Disk = { full: false };
  readonly #settings: RelaySettings;
  readonly #aired: OutgoingPacket[] = [];
  readonly #airedIds = new Set<number>();
  /** Taken, their answer lost with the life that waited for it, and refused when they were offered again. */
  readonly #twice = new Set<string>();
  /** By their senders, perhaps in time. */
  readonly #removed = new Set<string>();
  readonly #lost = new Set<string>();
  /** By room, in order. */
  readonly #fromMesh: string[][] = ROOMS.map(() => []);
  readonly #fromRooms: string[][] = ROOMS.map(() => []);
  readonly #meshIds = new Set<number>();
  readonly #fatal: unknown[] = [];
  readonly #counted: Record<string, number> = {};
  #life = new Life();
  #said = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
    this.#random = seededRandom(options.seed);
    this.#server = new SimHomeserver(this.#clock, this.#random);
    this.#store = openStore({ path: ':memory:', clock: this.#clock, logger: silentLogger });
    this.#radios = ['default', 'second'].slice(0, options.radios).map((name, index) => this.#radio(name, index));
    this.#settings = settings({
      routes: ROOMS.map((room, channel) => route({ room, channel })),
      radios: new Map(this.#radios.map(({ name }) => [name, radioSettings({ name })])),
      radioFailover: options.radios > 1,
      userRate: { perMinute: 100_000, burst: 100_000 },
      edits: 'correction',
      redactions: 'ignore',
    });
  }

  async run(): Promise<SimulationReport> {
    this.#revive();
    await this.#clock.advance(5_000);
    for (let round = 0; round < this.#options.rounds; round += 1) {
      this.#strike();
      this.#talk();
      await this.#clock.advance(this.#random() * 1_500);
      if (this.#life.dead && this.#random() < 0.4) this.#revive();
    }
    this.#makePeace();
    await this.#clock.advance(CALM_MS);
    const report = this.#report();
    this.#life.dead = true;
    this.#store.close();
    return report;
  }

  #radio(name: string, index: number): SimRadio {
    return new SimRadio({
      name,
      nodeNum: 0xa0000001 + index,
      clock: this.#clock,
      random: this.#random,
      lasting: this.#options.seed % 2 === 0,
      onAir: (sent) => {
        if (this.#airedIds.has(sent.id)) return;
        this.#airedIds.add(sent.id);
        this.#aired.push(sent);
        for (const other of this.#radios) if (other.name !== name) other.hear(overheard(sent, 0xa0000001 + index));
      },
      onRefused: (refused) => {
        this.#note('refused');
        if (this.#airedIds.has(refused.id)) for (const body of bodyOf(wordsOf(refused))) this.#twice.add(body);
      },
      onLost: (lost) => this.#lost.add(wordsOf(lost)),
    });
  }

  #note(what: string): void {
    this.#counted[what] = (this.#counted[what] ?? 0) + 1;
  }

  #revive(): void {
    const life = new Life();
    this.#life = life;
    const ports = this.#radios.map((radio) => radio.port(life));
    const engine = new Engine({
      store: mortalStore(this.#store, life, this.#disk),
      matrix: new SimMatrix(this.#server, life),
      radios: new Map<string, RadioPort>(ports.map((port) => [port.name, port])),
      settings: this.#settings,
      clock: life.clockOf(this.#clock),
      logger: silentLogger,
      random: this.#random,
      observer: silentObserver,
      claim: () => Promise.resolve(false),
      onFatal: (error) => {
        if (!(error instanceof Killed)) this.#fatal.push(error);
      },
    });
    try {
      engine.start();
    } catch (error) {
      // A full disk at the start ends the process; whoever runs it starts it again.
      if (!(error instanceof Killed) && !this.#disk.full) throw error;
      life.dead = true;
    }
  }

  #chance(share: number): boolean {
    return this.#random() < share;
  }

  #pick<T>(items: readonly T[]): T | undefined {
    return items[Math.floor(this.#random() * items.length)];
  }

  #strike(): void {
    if (!this.#life.dead && this.#chance(0.03)) this.#kill();
    if (this.#chance(0.06)) this.#trouble();
    if (this.#chance(0.03)) this.#homeserver();
    if (this.#chance(this.#disk.full ? 0.08 : 0.02)) this.#disk.full = !this.#disk.full;
    if (this.#disk.full) this.#note('rounds of a full disk');
    if (this.#chance(0.01)) this.#setClock();
  }

  #kill(): void {
    this.#note('kill');
    if (this.#chance(0.3)) this.#life.dead = true;
    else {
      this.#life.commitsLeft = Math.floor(this.#random() * 8);
      this.#life.diesBeforeCommit = this.#chance(0.5);
    }
  }

  #trouble(): void {
    const radio = this.#pick(this.#radios);
    if (radio === undefined) return;
    const choice = Math.floor(this.#random() * 5);
    if (choice === 4) radio.reboot();
    else if (choice === 0) radio.trouble = radio.trouble > 0 ? 0 : 0.5;
    else if (radio.isReachable()) radio.cut();
    else radio.reach();
    this.#note(choice === 0 ? 'radio refuses' : choice === 4 ? 'reboot' : 'cut or back');
  }

  #homeserver(): void {
    this.#server.outage = this.#server.outage === null ? (this.#pick(OUTAGES) ?? null) : null;
    this.#server.repeats = this.#chance(0.3);
    this.#note(`homeserver ${this.#server.outage ?? 'back'}`);
  }

  /** Never so far ahead that what was said looks too old. */
  #setClock(): void {
    const aheadMs = this.#clock.now() - this.#clock.monotonic();
    this.#clock.step(this.#chance(0.5) ? -aheadMs : (this.#random() * 5 - 3) * 60 * MINUTE_MS - aheadMs);
    this.#note('clock set');
  }

  #makePeace(): void {
    this.#disk.full = false;
    this.#server.outage = null;
    for (const radio of this.#radios) {
      radio.trouble = 0;
      radio.reach();
    }
    this.#life.commitsLeft = null;
    if (this.#life.dead) this.#revive();
  }

  #talk(): void {
    for (let n = Math.floor(this.#random() * 3); n > 0; n -= 1) this.#fromNode();
    if (this.#chance(0.35)) this.#fromPerson();
  }

  /** Every radio in range hears it. */
  #fromNode(): void {
    if (this.#radios.some(({ room }) => room < 8)) return;
    const channel = this.#said % ROOMS.length;
    const body = `m-${channel}-${this.#said}`;
    this.#said += 1;
    const id = 1 + Math.floor(this.#random() * 0xfffffffe);
    const heard: MeshPacket = packet({ id, channel, text: body });
    this.#meshIds.add(id);
    this.#fromMesh[channel]?.push(body);
    const times = this.#chance(0.1) ? 2 : 1;
    for (const radio of this.#radios) for (let n = 0; n < times; n += 1) radio.hear(heard);
  }

  #fromPerson(): void {
    const room = Math.floor(this.#random() * ROOMS.length);
    const roomId = ROOMS[room] ?? '';
    const earlier = this.#server.timeline.filter((event) => event.roomId === roomId && event.type === 'm.room.message');
    const target = this.#pick(earlier.slice(-6));
    const say = { roomId, sender: '@alice:ex.org' };
    if (target !== undefined && this.#chance(0.2)) {
      const relates = { rel_type: 'm.annotation', event_id: target.eventId, key: '👍' };
      this.#server.say({ ...say, type: 'm.reaction', content: { 'm.relates_to': relates } });
      return;
    }
    if (target?.sender === say.sender && this.#chance(0.05)) {
      this.#server.say({ ...say, type: 'm.room.redaction', content: {}, redacts: target.eventId });
      for (const removed of bodyOf(target.content.body)) this.#removed.add(removed);
      this.#note('removed');
      return;
    }
    const body = `x-${room}-${this.#said}${this.#chance(0.1) ? ` ${'long '.repeat(80)}` : ''}`;
    this.#said += 1;
    const reply = target !== undefined && this.#chance(0.3);
    const relates = reply ? { 'm.relates_to': { 'm.in_reply_to': { event_id: target.eventId } } } : {};
    this.#server.say({ ...say, type: 'm.room.message', content: { msgtype: 'm.text', body, ...relates } });
    this.#fromRooms[room]?.push(BODY.exec(body)?.[0] ?? '');
  }

  /** Packets that were removed before they left; an answer to one may have been on its way. */
  #takenBack(): readonly number[] {
    const rowIds = Array.from({ length: this.#store.outbox.lastRowId() }, (_, index) => index + 1);
    return rowIds.flatMap((rowId) => {
      const row = this.#store.outbox.get(rowId);
      return row?.state === 'failed' ? (row.packetId ?? []) : [];
    });
  }

  #report(): SimulationReport {
    const arrived = ROOMS.map((roomId) =>
      this.#server.sent.flatMap((sent) => (sent.roomId === roomId ? bodyOf(sent.content.body) : [])),
    );
    const heard = ROOMS.map((_, channel) =>
      this.#aired.flatMap((sent) => (sent.channel === channel ? bodyOf(wordsOf(sent)) : [])),
    );
    const toMesh = merge(this.#fromRooms.map((bodies, room) => judge(bodies, heard[room] ?? [])));
    const certain = this.#fromMesh.map((bodies, room) =>
      bodies.filter((body) => !this.#lost.has(body) || arrived[room]?.includes(body)),
    );
    const known = new Set([0, ...this.#meshIds, ...this.#airedIds, ...this.#takenBack()]);
    const dangling = this.#aired.filter(({ replyId }) => !known.has(replyId));
    const toMatrix = merge(certain.map((bodies, room) => judge(bodies, arrived[room] ?? [])));
    return {
      // Two radios are in range of a node by turns: which of two packets we get first is up to them.
      toMatrix: this.#options.radios === 1 ? toMatrix : { ...toMatrix, reordered: [] },
      // It had to go out under another id: rather twice than not at all.
      toMesh: {
        lost: toMesh.lost.filter((body) => !this.#removed.has(body)),
        duplicated: toMesh.duplicated.filter((body) => !this.#twice.has(body)),
        reordered: toMesh.reordered,
      },
      dangling: dangling.map(wordsOf),
      fatal: this.#fatal,
      counted: { ...this.#counted, said: this.#said, aired: this.#aired.length, sent: this.#server.sent.length },
    };
  }
}

/** What another radio of ours hears of a packet. */
function overheard({ id, channel, payload, replyId, emoji }: OutgoingPacket, from: number): MeshPacket {
  return packet({ from, id, channel, payload, replyId, emoji });
}

function wordsOf({ payload }: { readonly payload: Uint8Array }): string {
  return new TextDecoder().decode(payload);
}

function bodyOf(body: unknown): readonly string[] {
  const found = BODY.exec(String(body))?.[0];
  return found === undefined ? [] : [found];
}

function merge(verdicts: readonly Verdict[]): Verdict {
  return {
    lost: verdicts.flatMap(({ lost }) => lost),
    duplicated: verdicts.flatMap(({ duplicated }) => duplicated),
    reordered: verdicts.flatMap(({ reordered }) => reordered),
  };
}
