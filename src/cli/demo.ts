import { createInterface } from 'node:readline';
import { runDemo } from '../app/demo/run-demo.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { RelayError } from '../util/relay-error.ts';

export interface DemoFlags {
  readonly for?: string | undefined;
  readonly quiet?: boolean | undefined;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
/** In less time than this a message may not have crossed. */
const FAIR_MS = 5_000;

/** `mmrelay demo`: the whole relay, alive, with nothing installed. */
export async function demo(flags: DemoFlags): Promise<ExitCode> {
  const forMs = flags.for === undefined ? null : durationMs(flags.for);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const typing = process.stdin.isTTY ? createInterface({ input: process.stdin }) : null;
  typing?.once('SIGINT', onSignal);
  console.log('A virtual mesh with three nodes, a homeserver in memory, and mmrelay between them.');
  console.log('The room is end-to-end encrypted: @you reads it in a second Matrix client.');
  console.log('  »  said here   «  brought here by the relay   ·  all that the homeserver holds');
  if (typing !== null)
    console.log('Type a line to say it in the room, or /mesh and a line to say it on the mesh. Ctrl-C ends.');
  console.log('');
  const result = await runDemo({
    forMs,
    chatter: flags.quiet !== true,
    signal: stop.signal,
    print: (line) => console.log(line),
    input: typing,
  });
  typing?.close();
  const { toMatrix, toMesh, stored, error } = result;
  console.log(`\n${toMatrix} messages reached the room, ${toMesh} went on the air.`);
  console.log(`The homeserver holds ${stored.encrypted} messages as ciphertext, ${stored.plain} in plain text.`);
  if (error !== null) throw error;
  const silent = flags.quiet !== true && (toMatrix === 0 || toMesh === 0) && (forMs ?? 0) >= FAIR_MS;
  return silent || stored.plain > 0 ? EXIT.runtime : EXIT.ok;
}

function durationMs(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text);
  const unit = UNITS[match?.[2] ?? 's'];
  if (match === null || unit === undefined)
    throw new RelayError('CONFIG_DURATION', `--for ${text}: write a time as 10s, 2m or 1h`);
  return Number(match[1]) * unit;
}
