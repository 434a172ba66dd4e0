import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import type { DaemonProcess } from '../support/daemon-process.ts';
import { Person } from '../support/person.ts';
import { signedInRelay } from '../support/signed-in-relay.ts';

export const NODE = { num: 0x0a11ce01, longName: 'Alice', shortName: 'ALI' };
/** The radio's to-phone queue holds 32. */
export const QUEUE_ROOM = 24;

/** A disk in memory, for what is about memory and not about the disk. */
export const MEMORY_DISK = '/dev/shm';

/** The bundled daemon as a process of its own, between a virtual radio and a homeserver in this process. */
export interface Rig {
  readonly radio: VirtualRadio;
  readonly homeserver: Homeserver;
  readonly person: Person;
  readonly roomId: string;
  readonly daemon: DaemonProcess;
  readonly botId: string;
  /** Of `arrived`. */
  readonly tally: { seen: number; messages: number };
  close(): Promise<void>;
}

export interface RigOptions {
  /** What Node runs. */
  readonly entry: string;
  /** Where the home lies; default: the temporary folder. */
  readonly parent?: string;
  /** Sections besides those of the rig. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** Builds the rig; the daemon is not started. */
export async function buildRig({ entry, parent = tmpdir(), config = {} }: RigOptions): Promise<Rig> {
  const home = mkdtempSync(join(parent, 'mmrelay-bench-'));
  const radio = await createVirtualRadio({ region: 'US', modemPreset: 'SHORT_TURBO', nodes: [NODE] });
  const homeserver = await createHomeserver({ serverName: 'bench.local' });
  const bot = homeserver.registerUser('relay', 'x');
  const person = new Person({ ...homeserver.registerUser('carol', 'x'), baseUrl: homeserver.baseUrl });
  const roomId = await person.createRoom('Bench');
  const daemon = signedInRelay({
    entry,
    home,
    homeserver,
    bot,
    radio,
    meshnet: 'Bench',
    rooms: [roomId],
    sections: config,
  });
  return {
    radio,
    homeserver,
    person,
    roomId,
    daemon,
    botId: bot.userId,
    tally: { seen: 0, messages: 0 },
    close: async () => {
      await daemon.close();
      await radio.close();
      await homeserver.close();
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** The mesh says `count` texts, as fast as the radio's queue is emptied. */
export async function speak({ radio }: Rig, count: number, from = 0): Promise<void> {
  for (let n = from; n < from + count; n += 1) {
    while (radio.waitingPackets >= QUEUE_ROOM || !radio.connected) await delay(1);
    radio.node(NODE.num).sendText(0, `mesh ${n}`);
    if (n % 16 === 15) await delay(0);
  }
}

/** Messages of the relay in the room; looks at each event once, however often it is asked. */
export function arrived(rig: Rig): number {
  const { homeserver, roomId, botId, tally } = rig;
  const events = homeserver.timeline(roomId);
  for (; tally.seen < events.length; tally.seen += 1) {
    const event = events[tally.seen];
    if (event?.sender === botId && event.type === 'm.room.message') tally.messages += 1;
  }
  return tally.messages;
}

/** Polls every millisecond. @throws Error in `timeoutMs` */
export async function until(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what} did not come`);
    await delay(1);
  }
}
