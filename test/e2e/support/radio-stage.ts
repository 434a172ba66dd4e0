import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { Daemon } from '../../../src/app/daemon/daemon.ts';
import type { RadioConnection } from '../../../src/config/types.ts';
import { createVirtualRadio, type VirtualRadio } from '../../../src/sandbox/radio/virtual-radio.ts';
import { memoryHomeserver, signInRelay } from '../../chaos/support/chaos-homeserver.ts';
import { judge } from '../../chaos/support/ledger.ts';
import { config } from '../../config/helpers.ts';
import { daemonOn } from '../../support/daemon-on.ts';
import { loggerTo } from '../../support/logger-to.ts';
import { Person } from '../../support/person.ts';
import { scaledClock } from '../../support/scaled-clock.ts';
import { eventually } from './eventually.ts';

/** How much faster time goes: 200 texts at one in two seconds would last seven minutes. */
const FACTOR = 10;
const PATIENCE_MS = 120_000;
const ALICE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };

/** The whole relay in this process, between a virtual radio and the in-memory homeserver. */
export class RadioStage {
  readonly radio: VirtualRadio;
  readonly #person: Person;
  readonly #room: string;
  readonly #closing: (() => Promise<unknown>)[];
  readonly #saidByMesh: string[] = [];
  readonly #saidByRoom: string[] = [];
  #daemon: Daemon | null = null;
  readonly #home: string;
  readonly #homeserver: string;
  readonly #clock: ReturnType<typeof scaledClock>;
  readonly logs: string[] = [];

  private constructor(parts: {
    readonly radio: VirtualRadio;
    readonly person: Person;
    readonly room: string;
    readonly home: string;
    readonly homeserver: string;
    readonly clock: ReturnType<typeof scaledClock>;
    readonly closing: (() => Promise<unknown>)[];
  }) {
    this.radio = parts.radio;
    this.#person = parts.person;
    this.#room = parts.room;
    this.#home = parts.home;
    this.#homeserver = parts.homeserver;
    this.#clock = parts.clock;
    this.#closing = parts.closing;
  }

  static async build(): Promise<RadioStage> {
    const clock = scaledClock(FACTOR, Date.now());
    const radio = await createVirtualRadio({ clock, region: 'US', modemPreset: 'SHORT_FAST', nodes: [ALICE] });
    const homeserver = await memoryHomeserver(clock);
    const home = mkdtempSync(join(tmpdir(), 'mmrelay-link-'));
    signInRelay(home, homeserver.relayUrl, await homeserver.registerUser('relay'));
    const person = new Person({ ...(await homeserver.registerUser('carol')), baseUrl: homeserver.peopleUrl });
    const room = await person.createRoom('Mountain');
    const closing = [
      async () => rmSync(home, { recursive: true, force: true }),
      () => homeserver.close(),
      () => radio.close(),
    ];
    return new RadioStage({ radio, person, room, home, homeserver: homeserver.relayUrl, clock, closing });
  }

  /** Starts the relay over this connection, put in after parsing: a configuration names serial devices under /dev only. */
  start(connection: RadioConnection): void {
    const text = JSON.stringify({
      meshtastic: { connection_type: 'tcp', host: 'replaced.invalid', meshnet_name: 'E2E' },
      matrix: { homeserver: this.#homeserver, bot_user_id: '@relay:chaos.local' },
      matrix_rooms: [{ id: this.#room, meshtastic_channel: 0 }],
      logging: { log_to_file: false },
    });
    const parsed = config(text);
    const connected = { ...parsed, radios: parsed.radios.map((radio) => ({ ...radio, connection })) };
    const logger = loggerTo((message, fields) =>
      this.logs.push(`${Math.round(performance.now())} ${message} ${JSON.stringify(fields)}`),
    );
    const onFatal = (error: unknown): void => logger.error('FATAL', { error: String(error) });
    const daemon = daemonOn(this.#home, connected, { clock: this.#clock, logger, onFatal });
    this.#daemon = daemon;
    this.#closing.push(() => daemon.stop());
    daemon.start();
  }

  async ready(): Promise<void> {
    await this.#until('the relay with both sides', () => this.#daemon?.health().state === 'ready');
  }

  async lost(): Promise<void> {
    await this.#until('the loss of the radio', () => this.#daemon?.health().state !== 'ready');
  }

  /** Until the radio knows that nobody listens: from then on it keeps what it hears. */
  async alone(): Promise<void> {
    await this.#until('the radio to notice the loss', () => !this.radio.connected);
  }

  meshSays(count: number): void {
    for (let index = 0; index < count; index += 1) {
      const body = `mesh ${this.#saidByMesh.length + 1}`;
      this.#saidByMesh.push(body);
      this.radio.node(ALICE.num).sendText(0, body);
    }
  }

  async roomSays(count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const body = `room ${this.#saidByRoom.length + 1}`;
      this.#saidByRoom.push(body);
      await this.#person.say(this.#room, body);
    }
  }

  /** Until every text of the mesh is in the room. */
  async meshHeard(): Promise<void> {
    await this.#until('every text of the mesh in the room', async () => {
      return (await this.#inRoom()).length >= this.#saidByMesh.length;
    });
  }

  /** Waits for everything, then holds the promise: nothing lost, nothing twice, order kept, no limit of the radio hit. */
  async judge(): Promise<{ readonly toMatrix: number; readonly toMesh: number }> {
    await this.meshHeard();
    await this.#until('every text of the room on the air', () => this.#onAir().length >= this.#saidByRoom.length);
    const fair = { lost: [], duplicated: [], reordered: [] };
    expect(judge(this.#saidByMesh, await this.#inRoom())).toEqual(fair);
    expect(judge(this.#saidByRoom, this.#onAir())).toEqual(fair);
    expect(this.radio.counters.rateLimited).toBe(0);
    expect(this.logs.filter((line) => line.includes('FATAL'))).toEqual([]);
    return { toMatrix: this.#saidByMesh.length, toMesh: this.#saidByRoom.length };
  }

  async close(): Promise<void> {
    for (const close of this.#closing.toReversed()) await close();
  }

  async #inRoom(): Promise<string[]> {
    const messages = await this.#person.messages(this.#room);
    return messages.flatMap(({ body }) => /\]: (mesh \d+)$/.exec(body)?.[1] ?? []);
  }

  #onAir(): string[] {
    const texts = this.radio.mesh.heard.map(({ packet }) => new TextDecoder().decode(packet.payload));
    return texts.flatMap((text) => /: (room \d+)$/.exec(text)?.[1] ?? []);
  }

  async #until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
    try {
      await eventually(what, async () => ((await isSo()) ? true : null), PATIENCE_MS);
    } catch (error) {
      throw new Error(`${String(error)}\n${this.logs.slice(-25).join('\n')}`, { cause: error });
    }
  }
}

export interface Cut {
  readonly name: string;
  /** False: the radio goes on talking into the dead link, and what it says there is lost for any client. */
  readonly isKnownToRadio?: boolean;
  begin(): Promise<void>;
  end(): Promise<void>;
}

/** A hundred cuts of some kinds, or a thousand reconnects, of seconds each. */
export const LONG_TEST_MS = 3_600_000;

/** With MMRELAY_E2E_FULL=1 each kind of cut comes a hundred times; otherwise all of them together about eight times. */
const CUTS = { full: 100, some: 8 } as const;
/** Two texts each way with each cut. */
const TEXTS_PER_CUT = 2;

/**
 * Talk both ways while the link is cut again and again. A text of the mesh that is on the way in the very instant of a
 * cut is lost for any client (no protocol of the radio's confirms it), so each cut waits until the room has what was said;
 * the other direction is cut in the middle.
 */
export async function relayUnderCuts(stage: RadioStage, cuts: readonly Cut[]): Promise<void> {
  await stage.ready();
  const perKind = process.env.MMRELAY_E2E_FULL === '1' ? CUTS.full : Math.ceil(CUTS.some / cuts.length);
  for (const cut of Array.from({ length: perKind }, () => cuts).flat()) {
    stage.meshSays(TEXTS_PER_CUT - 1);
    await stage.meshHeard();
    await stage.roomSays(TEXTS_PER_CUT - 1);
    await cut.begin();
    await stage.lost();
    if (cut.isKnownToRadio !== false) {
      await stage.alone();
      stage.meshSays(1);
    }
    await stage.roomSays(1);
    await cut.end();
    await stage.ready();
  }
  const said = await stage.judge();
  const kinds = cuts.map(({ name }) => `${perKind} times ${name}`).join(', ');
  console.info(`${kinds}: ${said.toMatrix} texts to Matrix, ${said.toMesh} to the mesh, none lost, none twice`);
}
