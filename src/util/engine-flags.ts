import { setFlagsFromString } from 'node:v8';

/** Each keeps resident memory small, for a little more work at the start; docs/BENCHMARKS.md has what each saves. */
const FLAGS = [
  // The nursery would double while modules are read and under load, up to 48 MiB, and never shrink.
  '--semi-space-growth-factor=1',
  // What ran once, at the start, is forgotten at the second collection; it is compiled again if it is ever called again.
  '--bytecode-old-age=1',
  // The hottest functions of the crypto are compiled anew for speed, in a thread that takes 25 MB for it, of which malloc
  // keeps 10. Not at the start, where they have been called a few times, and without what takes most of it.
  '--wasm-tiering-budget=130000000',
  '--no-wasm-loop-unrolling',
];

/**
 * Makes V8 keep this process small, however it was started: the environment and the command line could say the same, but
 * do not come with every start. To be called before the daemon is read: Node's own compiled code does not fit any more then.
 */
export function setEngineFlags(): void {
  for (const flag of FLAGS) setFlagsFromString(flag);
}
