import { createInterface } from 'node:readline';
import { findGuestPlugin } from '../app/demo/guest-plugin.ts';
import { runDemo } from '../app/demo/run-demo.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { plural } from '../util/plural.ts';
import { type GlobalFlags, homePaths } from './context.ts';

export interface DemoFlags extends GlobalFlags {
  /** Milliseconds. */
  readonly for?: number | undefined;
  readonly quiet?: boolean | undefined;
  readonly plugin?: string | undefined;
}

/** In less time than this a message may not have crossed. */
const FAIR_MS = 5_000;

/** `mmrelay demo`: the whole relay, alive, with nothing installed. */
export async function demo(flags: DemoFlags): Promise<ExitCode> {
  const forMs = flags.for ?? null;
  const plugin = flags.plugin === undefined ? null : await findGuestPlugin(homePaths(flags), flags.plugin);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once('SIGINT', onSignal);
  process.once('SIGTERM', onSignal);
  const typing = createInterface({ input: process.stdin });
  typing.once('SIGINT', onSignal);
  // Keeps what is typed, or piped, before the relay is up.
  const lines = typing[Symbol.asyncIterator]();
  console.log('A virtual mesh with three nodes, a homeserver in memory, and mmrelay between them.');
  console.log('The room is end-to-end encrypted: @you reads it in a second Matrix client.');
  console.log('  »  said here   «  brought here by the relay   ·  all that the homeserver holds');
  console.log('Type a line to say it in the room, or /mesh and a line to say it on the mesh. Ctrl-C ends.');
  if (plugin !== null) console.log(`The plugin ${plugin.name} runs in the relay: try its commands on both sides.`);
  console.log('');
  const result = await runDemo({
    forMs,
    chatter: flags.quiet !== true,
    signal: stop.signal,
    print: (line) => console.log(line),
    input: { [Symbol.asyncIterator]: () => lines },
    plugin,
  });
  typing.close();
  const { toMatrix, toMesh, stored, error } = result;
  console.log(`\n${plural(toMatrix, 'message')} reached the room, ${toMesh} went on the air.`);
  console.log(
    `The homeserver holds ${plural(stored.encrypted, 'message')} as ciphertext, ${stored.plain} in plain text.`,
  );
  if (error !== null) throw error;
  const silent = flags.quiet !== true && (toMatrix === 0 || toMesh === 0) && (forMs ?? 0) >= FAIR_MS;
  return silent || stored.plain > 0 ? EXIT.runtime : EXIT.ok;
}
