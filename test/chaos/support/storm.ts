import { setTimeout as delay } from 'node:timers/promises';
import type { ChaosHomeserver, ChaosOutage } from './chaos-homeserver.ts';
import { judge, type MeshText, type Verdict } from './ledger.ts';
import { shuffled } from './random.ts';
import { NODES, type Stage, type StageRoom } from './stage.ts';

export interface StormOptions {
  readonly kills: number;
  readonly cuts: number;
  readonly outages: number;
  /** Most real milliseconds between two faults. */
  readonly pauseMs: number;
  /** When the storm is over, and nothing has moved for so many real milliseconds, what has not crossed is lost. */
  readonly calmMs: number;
  /** Least number of texts that must have crossed each way for the storm to mean anything. */
  readonly atLeast: number;
  readonly random: () => number;
}

/** Texts; of those that went wrong the first few by name. */
interface Tally extends Verdict {
  readonly said: number;
}

export interface StormReport {
  readonly toMatrix: Tally;
  readonly toMesh: Tally;
  /** Texts that went down with a socket, as ledger.ts defines it; the first two groups do not count as said. */
  readonly inFlight: number;
  /** Texts that the radio lost: cut in the middle of their frame, or with its memory. */
  readonly lostByRadio: number;
  /** Texts that a full to-phone queue pushed out: 0, for the mesh waits when it fills. */
  readonly evicted: number;
  readonly rateLimited: number;
  readonly faults: Readonly<Record<string, number>>;
}

/** The radio's to-phone queue holds 32; routing answers need some of them. */
const QUEUE_ROOM = 20;
const MESH_PAUSE_MS = 300;
/** Two people, so that what they say stays below what the firmware's two seconds let through, dead times included. */
const PERSON_PAUSE_MS = 800;
const BURST = 6;
/** A duplicate would come within this. */
const SETTLE_MS = 2_000;
const NAMED = 20;
/** Texts that may go down with the sockets of a storm, and do not count. */
const IN_SOCKETS = 30;
const TEXT = /\b[mx]-\d-\d+\b/;

/** Everybody talks all the time; each keeps what was said. */
class Talk {
  readonly #stage: Stage;
  readonly #random: () => number;
  /** By room, in order: what the homeserver accepted. */
  readonly accepted: string[][];
  #over = false;
  #spoken = 0;
  readonly #done: Promise<unknown>;

  constructor(stage: Stage, random: () => number) {
    this.#stage = stage;
    this.#random = random;
    this.accepted = stage.rooms.map(() => []);
    this.#done = Promise.all([this.#mesh(), ...stage.rooms.map((room, index) => this.#person(room, index))]);
  }

  async end(): Promise<void> {
    this.#over = true;
    await this.#done;
  }

  async #mesh(): Promise<void> {
    const { radio, ledger, rooms } = this.#stage;
    for (let n = 0; !this.#over; ) {
      const burst = 1 + Math.floor(this.#random() * BURST);
      for (let i = 0; i < burst && radio.waitingPackets < QUEUE_ROOM; i += 1, n += 1) {
        const room = n % rooms.length;
        const body = `m-${room}-${n}`;
        // Remembered first: a connected radio hands it over at once.
        const packetId = 1 + n;
        ledger.spoken({ body, room, packetId });
        this.#spoken += 1;
        radio.node(NODES[n % 3 === 0 ? 0 : 1].num).sendText(room, body, { id: packetId });
      }
      await delay(this.#random() * 2 * MESH_PAUSE_MS);
    }
  }

  /** On a busy machine a storm passes in few words: they go on until more than `atLeast` were said each way. */
  async reach(atLeast: number): Promise<void> {
    while (Math.min(this.#spoken, this.accepted.flat().length) <= atLeast) await delay(SETTLE_MS);
  }

  async #person({ person, roomId }: StageRoom, index: number): Promise<void> {
    for (let n = 0; !this.#over; n += 1) {
      const body = `x-${index}-${n}`;
      await person.say(roomId, body);
      this.accepted[index]?.push(body);
      await delay(this.#random() * 2 * PERSON_PAUSE_MS);
    }
  }
}

/** Lets the faults loose on a relay under load, waits for the calm, and counts from both ends. */
export async function blowStorm(
  stage: Stage,
  homeserver: ChaosHomeserver,
  options: StormOptions,
): Promise<StormReport> {
  const { relay } = stage;
  relay.start();
  await relay.ready();
  const talk = new Talk(stage, options.random);
  const faults = new Faults(stage, homeserver, options.random);
  const list = shuffled<Fault>(
    [
      ...times<Fault>(options.kills, 'kill'),
      ...times<Fault>(options.cuts, 'cut'),
      ...times<Fault>(options.outages, 'outage'),
    ],
    options.random,
  );
  for (const fault of list) {
    await delay(options.random() * options.pauseMs);
    await faults.strike(fault);
    const end = relay.unasked();
    if (end !== null) throw new Error(`${end}\n${relay.logTail()}`);
  }
  await faults.end();
  // On a busy machine the last life may still be starting: nothing moves then, and nothing is lost.
  await relay.ready();
  await talk.reach(options.atLeast + IN_SOCKETS);
  await talk.end();
  await calm(stage, talk.accepted, options.calmMs);
  return { ...(await count(stage, talk.accepted)), faults: faults.counted };
}

function times<T>(count: number, item: T): readonly T[] {
  return Array.from({ length: count }, () => item);
}

type Fault = 'kill' | 'cut' | 'outage';

const CUTS = [
  ...['FIN', 'RST', 'port closed', 'cut in a frame', 'junk, then cut in a frame'],
  ...['radio away', 'reboot', 'reboot over a link that stays'],
];

/** Strikes one fault at a time; an outage, and a radio that is away, last while others strike. */
class Faults {
  readonly counted: Record<string, number> = {};
  readonly #stage: Stage;
  readonly #kinds: readonly ChaosOutage[];
  readonly #random: () => number;
  #outage: Promise<void> = Promise.resolve();
  #outages = 0;
  #radioAway: Promise<void> | null = null;

  constructor(stage: Stage, homeserver: ChaosHomeserver, random: () => number) {
    this.#stage = stage;
    this.#kinds = shuffled(homeserver.outages, random);
    this.#random = random;
  }

  async strike(fault: Fault): Promise<void> {
    // There is no link to cut while the radio is away; a death is the harder for it.
    if (fault === 'kill' || (fault === 'cut' && this.#radioAway !== null)) await this.#kill();
    else if (fault === 'cut') await this.#cut();
    else {
      await this.#outage;
      const outage = this.#kinds[this.#outages % this.#kinds.length];
      this.#outages += 1;
      if (outage !== undefined) this.#outage = this.#away(outage);
    }
  }

  async end(): Promise<void> {
    await this.#outage;
    await this.#radioAway;
  }

  #note(name: string): void {
    this.counted[name] = (this.counted[name] ?? 0) + 1;
  }

  async #kill(): Promise<void> {
    const { radio, relay, ledger } = this.#stage;
    const before = radio.counters.connections;
    if (radio.connected) ledger.ended(before);
    await relay.kill();
    // A connection that the dead process made in its last moment comes to light now, and gets what the radio has.
    await delay(10);
    for (let late = before + 1; late <= radio.counters.connections; late += 1) ledger.ended(late);
    relay.start();
    this.#note('kill -9');
  }

  async #cut(): Promise<void> {
    const { radio, ledger } = this.#stage;
    const choice = Math.floor(this.#random() * CUTS.length);
    if (choice === 5) this.#radioAway = this.#takeRadioAway();
    else if (choice >= 6) await this.#reboot(choice === 6 ? 'close' : 'stay');
    else if (choice === 0) radio.disconnect('end');
    else if (choice === 1 || choice === 2) {
      if (radio.connected) ledger.ended(radio.counters.connections);
      if (choice === 1) radio.disconnect('reset');
      else await this.#refuse();
    } else if (choice === 3) radio.faults.cutMidFrame({ afterFrames: Math.floor(this.#random() * 4) });
    else {
      radio.faults.junk('\x94\x94\xc3 INFO  | a line of the console \x94');
      radio.faults.cutMidFrame();
    }
    this.#note(CUTS[choice] ?? '');
  }

  async #reboot(tcp: 'close' | 'stay'): Promise<void> {
    const { radio, ledger } = this.#stage;
    if (tcp === 'close' && radio.connected) ledger.ended(radio.counters.connections);
    await radio.reboot({ tcp });
  }

  async #takeRadioAway(): Promise<void> {
    const { radio, ledger } = this.#stage;
    if (radio.connected) ledger.ended(radio.counters.connections);
    await radio.refuse();
    await delay(500 + this.#random() * 2_000);
    await radio.accept();
    this.#radioAway = null;
  }

  async #refuse(): Promise<void> {
    const { radio } = this.#stage;
    await radio.refuse();
    await delay(this.#random() * 200);
    await radio.accept();
  }

  async #away(outage: ChaosOutage): Promise<void> {
    this.#note(`homeserver: ${outage.name}`);
    await outage.begin();
    await delay(300 + this.#random() * 1_200);
    await outage.end();
  }
}

/** Heard on the mesh by room, once per packet as the nodes' own duplicate filter has it. */
function heardOnMesh({ radio, rooms }: Stage): readonly (readonly string[])[] {
  const heard = radio.mesh.heard.map(({ packet }) => ({
    channel: packet.channel,
    body: TEXT.exec(new TextDecoder().decode(packet.payload))?.[0],
  }));
  return rooms.map(({ channel }) =>
    heard.filter((text) => text.channel === channel).flatMap(({ body }) => (body?.startsWith('x') ? [body] : [])),
  );
}

async function arrivedInRooms({ rooms, botId }: Stage): Promise<readonly (readonly string[])[]> {
  const histories = await Promise.all(rooms.map(({ person, roomId }) => person.messages(roomId)));
  return histories.map((messages) =>
    messages.filter(({ sender }) => sender === botId).flatMap(({ body }) => TEXT.exec(body)?.[0] ?? []),
  );
}

/** Waits until all that is known to come has come and nothing else moves, or until nothing has moved for `calmMs`. */
async function calm(stage: Stage, accepted: readonly (readonly string[])[], calmMs: number): Promise<void> {
  const goal = accepted.flat().length;
  for (let before = -1, movedMs = performance.now(); performance.now() - movedMs < calmMs; ) {
    const heard = heardOnMesh(stage).flat().length;
    const arrived = new Set((await arrivedInRooms(stage)).flat());
    const moved = arrived.size + heard;
    const isComplete = heard >= goal && expectedTexts(stage, arrived).every(({ body }) => arrived.has(body));
    if (stage.radio.waitingPackets === 0 && isComplete && moved === before) return;
    if (moved !== before) movedMs = performance.now();
    before = moved;
    await delay(SETTLE_MS);
  }
}

/** Packet ids. */
function lostByRadio({ radio }: Stage): ReadonlySet<number> {
  return new Set(
    radio.lost.flatMap(({ packet, reason }) => (reason === 'cut' || reason === 'reboot' ? packet.id : [])),
  );
}

/** What the mesh said and the relay was given. */
function expectedTexts(stage: Stage, arrived: ReadonlySet<string>): readonly MeshText[] {
  const inFlight = stage.ledger.inFlight(arrived);
  const lost = lostByRadio(stage);
  return stage.ledger.texts.filter(({ body, packetId }) => !inFlight.has(body) && !lost.has(packetId));
}

async function count(stage: Stage, accepted: readonly (readonly string[])[]): Promise<Omit<StormReport, 'faults'>> {
  const { ledger, radio, rooms } = stage;
  const arrived = await arrivedInRooms(stage);
  const heard = heardOnMesh(stage);
  const inFlight = ledger.inFlight(new Set(arrived.flat()));
  const lost = lostByRadio(stage);
  const expected = expectedTexts(stage, new Set(arrived.flat()));
  const said = rooms.map((_, room) => expected.filter((text) => text.room === room).map(({ body }) => body));
  return {
    toMatrix: { said: expected.length, ...merge(said.map((bodies, room) => judge(bodies, arrived[room] ?? []))) },
    toMesh: {
      said: accepted.flat().length,
      ...merge(accepted.map((bodies, room) => judge(bodies, heard[room] ?? []))),
    },
    inFlight: inFlight.size,
    lostByRadio: ledger.texts.filter(({ packetId }) => lost.has(packetId)).length,
    evicted: radio.counters.evicted,
    rateLimited: radio.counters.rateLimited,
  };
}

function merge(verdicts: readonly Verdict[]): Verdict {
  return {
    lost: named(verdicts.flatMap(({ lost }) => lost)),
    duplicated: named(verdicts.flatMap(({ duplicated }) => duplicated)),
    reordered: named(verdicts.flatMap(({ reordered }) => reordered)),
  };
}

function named(bodies: readonly string[]): readonly string[] {
  return bodies.length <= NAMED ? bodies : [...bodies.slice(0, NAMED), `and ${bodies.length - NAMED} more`];
}
