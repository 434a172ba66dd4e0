import { type Clock, sleep, systemClock } from '../../util/clock.ts';
import { utf8Decode } from '../../util/utf8.ts';
import type { GuestPlugin } from './guest-plugin.ts';
import { Screen, storedMessages } from './screen.ts';
import { buildStage, NODES, RELAY, type Stage } from './stage.ts';

export interface DemoOptions {
  /** null: until the signal. */
  readonly forMs: number | null;
  /** Let the mesh and the room chat by themselves. */
  readonly chatter: boolean;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  /** Lines a person types: `/mesh text` speaks as a node, anything else as the Matrix user. */
  readonly input: AsyncIterable<string> | null;
  /** One that somebody writes, to try its commands; null for none. */
  readonly plugin: GuestPlugin | null;
}

export interface DemoResult {
  readonly toMatrix: number;
  readonly toMesh: number;
  /** Messages of the room as the homeserver holds them. */
  readonly stored: { readonly encrypted: number; readonly plain: number };
  readonly error: unknown;
}

const MESH_LINES = [
  'Reached the ridge, all well',
  'Clouds from the west, 2*3*4 knots',
  'Battery at 71 %',
  'Anybody at base?',
  'Descending now',
];
const ROOM_LINES = [
  'Copy, base is listening',
  'Weather says <b>storm</b> at 16:00',
  'Take the south path',
  'Tea is on',
  'See you at five',
];
const PAUSE_MS = 4_400;
const TEXT_MESSAGE_APP = 1;

interface Play {
  readonly stage: Stage;
  readonly screen: Screen;
  readonly signal: AbortSignal;
  readonly clock: Clock;
}

/** Runs the demo and shows the conversation as both sides see it, and as the homeserver in between sees it. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const failure: { error: unknown } = { error: null };
  const end = new AbortController();
  const signal = AbortSignal.any([options.signal, end.signal]);
  const screen = new Screen(options.print);
  const stage: Stage = await buildStage({
    write: options.print,
    plugin: options.plugin,
    onMessage: (message) => screen.roomHears(message, stage.homeserver),
    onFatal: (error) => {
      failure.error = error;
      end.abort();
    },
  });
  const play = { stage, screen, signal, clock: systemClock };
  const unwatch = stage.radio.mesh.watch(({ packet }) => {
    if (packet.portnum === TEXT_MESSAGE_APP) screen.meshHears(utf8Decode(packet.payload));
  });
  if (options.forMs !== null) systemClock.after(options.forMs, () => end.abort());
  await Promise.race([aborted(signal), perform(play, options)]);
  await aborted(signal);
  unwatch();
  const stored = storedMessages(stage.homeserver.timeline(stage.roomId));
  await stage.close();
  return { toMatrix: screen.toMatrix, toMesh: screen.toMesh, stored, error: failure.error };
}

async function perform(play: Play, { input, chatter }: DemoOptions): Promise<void> {
  const { stage, signal, clock } = play;
  const ready = async (): Promise<boolean> =>
    stage.daemon.health().ready && (await stage.person.canReach(stage.roomId, RELAY));
  while (!signal.aborted && !(await ready())) await sleep(clock, 50, signal);
  await Promise.all([input === null ? null : readInput(play, input), chatter ? chat(play) : null]);
}

async function chat(play: Play): Promise<void> {
  const { screen, signal, clock } = play;
  for (let turn = 0; !signal.aborted; turn += 1) {
    if (turn > 0) screen.pause();
    sayOnMesh(play, NODES[turn % NODES.length], MESH_LINES[turn % MESH_LINES.length] ?? '');
    await sleep(clock, PAUSE_MS / 2, signal);
    if (signal.aborted) return;
    screen.pause();
    await sayInRoom(play, ROOM_LINES[turn % ROOM_LINES.length] ?? '');
    await sleep(clock, PAUSE_MS / 2, signal);
  }
}

async function readInput(play: Play, input: AsyncIterable<string>): Promise<void> {
  for await (const line of input) {
    if (play.signal.aborted) return;
    const spoken = /^\/mesh\s+(.*)$/.exec(line);
    if (spoken?.[1] !== undefined) sayOnMesh(play, NODES[0], spoken[1]);
    else if (line.trim() !== '') await sayInRoom(play, line);
  }
}

function sayOnMesh({ stage, screen }: Play, node: (typeof NODES)[number] | undefined, text: string): void {
  if (node === undefined) return;
  screen.meshSays(node.longName, text);
  stage.radio.node(node.num).sendText(0, text);
}

async function sayInRoom({ stage, screen }: Play, text: string): Promise<void> {
  const { roomId, homeserver, person } = stage;
  screen.roomSays(text);
  const eventId = await person.say(roomId, text);
  screen.serverHolds(homeserver, { roomId, eventId });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
