import { askDaemon } from '../app/control/client.ts';
import { statusLines } from '../app/control/status-text.ts';
import { systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { type GlobalFlags, homePaths } from './context.ts';

export interface StatusFlags extends GlobalFlags {
  readonly json?: boolean | undefined;
}

/** `mmrelay status`: 0 when the relay answers. @throws RelayError CONTROL_*, in words for a person, when it does not */
export async function status(flags: StatusFlags): Promise<ExitCode> {
  const answer = await askDaemon(homePaths(flags).home.path, 'status', { args: {} });
  if (flags.json === true) console.log(JSON.stringify(answer, null, 2));
  else for (const line of statusLines(answer, systemClock.now())) console.log(line);
  return EXIT.ok;
}
