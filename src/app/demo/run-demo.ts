import { type Clock, sleep, systemClock } from '../../util/clock.ts';
import { utf8Decode } from '../../util/utf8.ts';
import { buildStage, NODES, type Stage } from './stage.ts';

export interface DemoOptions {
  /** null: until the signal. */
  readonly forMs: number | null;
  /** Let the mesh and the room chat by themselves. */
  readonly chatter: boolean;
  readonly signal: AbortSignal;
  readonly print: (line: string) => void;
  /** Lines a person types: `/mesh text` speaks as a node, anything else as the Matrix user. */
  readonly input: AsyncIterable<string> | null;
}

export interface DemoResult {
  readonly toMatrix: number;
  readonly toMesh: number;
  /** Messages that the script sent, each way. */
  readonly scripted: number;
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
const NAME_WIDTH = 13;
const TEXT_MESSAGE_APP = 1;

/** Runs the demo and shows both sides of the conversation as they see it. */
export async function runDemo(options: DemoOptions): Promise<DemoResult> {
  const failure: { error: unknown } = { error: null };
  const end = new AbortController();
  const signal = AbortSignal.any([options.signal, end.signal]);
  const stage = await buildStage({
    write: options.print,
    onFatal: (error) => {
      failure.error = error;
      end.abort();
    },
  });
  const counts = { toMatrix: 0, toMesh: 0, scripted: 0 };
  showBothSides(stage, counts, { ...options, signal });
  if (options.forMs !== null) systemClock.after(options.forMs, () => end.abort());
  const typing = options.input === null ? Promise.resolve() : readInput(stage, options.input, { ...options, signal });
  await Promise.race([
    options.chatter ? chat(stage, counts, { ...options, signal, clock: systemClock }) : aborted(signal),
    typing.then(() => aborted(signal)),
  ]);
  await aborted(signal);
  await stage.close();
  return { ...counts, error: failure.error };
}

function showBothSides(stage: Stage, counts: { toMatrix: number; toMesh: number }, options: DemoOptions): void {
  const { print, signal } = options;
  const unwatch = stage.radio.mesh.watch(({ packet }) => {
    if (packet.portnum !== TEXT_MESSAGE_APP) return;
    counts.toMesh += 1;
    print(`  mesh  « ${'relay'.padEnd(NAME_WIDTH)} ${utf8Decode(packet.payload)}`);
  });
  signal.addEventListener('abort', unwatch, { once: true });
  void stage.person.listen((message) => {
    if (message.type !== 'm.room.message') return;
    counts.toMatrix += 1;
    print(`  room  « ${(message.sender.split(':')[0] ?? '').padEnd(NAME_WIDTH)} ${String(message.content.body)}`);
  }, signal);
}

async function chat(
  stage: Stage,
  counts: { scripted: number },
  context: { readonly signal: AbortSignal; readonly clock: Clock; readonly print: (line: string) => void },
): Promise<void> {
  const { signal, clock } = context;
  while (!signal.aborted && stage.daemon.health().state !== 'ready') await sleep(clock, 50, signal);
  for (let turn = 0; !signal.aborted; turn += 1) {
    const node = NODES[turn % NODES.length];
    const line = MESH_LINES[turn % MESH_LINES.length] ?? '';
    if (node !== undefined) sayOnMesh(stage, node, { line, print: context.print });
    counts.scripted += 1;
    await sleep(clock, PAUSE_MS / 2, signal);
    if (signal.aborted) return;
    const words = ROOM_LINES[turn % ROOM_LINES.length] ?? '';
    context.print(`  room  » ${'@you'.padEnd(NAME_WIDTH)} ${words}`);
    await stage.person.say(stage.roomId, words);
    await sleep(clock, PAUSE_MS / 2, signal);
  }
}

async function readInput(
  stage: Stage,
  input: AsyncIterable<string>,
  context: { readonly signal: AbortSignal; readonly print: (line: string) => void },
): Promise<void> {
  const { signal, print } = context;
  for await (const line of input) {
    if (signal.aborted) return;
    const spoken = /^\/mesh\s+(.*)$/.exec(line);
    if (spoken?.[1] !== undefined) sayOnMesh(stage, NODES[0], { line: spoken[1], print });
    else if (line.trim() !== '') await stage.person.say(stage.roomId, line);
  }
}

function sayOnMesh(
  stage: Stage,
  node: (typeof NODES)[number],
  spoken: { readonly line: string; readonly print: (line: string) => void },
): void {
  spoken.print(`  mesh  » ${node.longName.padEnd(NAME_WIDTH)} ${spoken.line}`);
  stage.radio.node(node.num).sendText(0, spoken.line);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
