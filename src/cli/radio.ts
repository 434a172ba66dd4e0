import { askDaemon } from '../app/control/client.ts';
import { timeText } from '../app/control/status-text.ts';
import { systemClock } from '../util/clock.ts';
import { ageText } from '../util/duration.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { type GlobalFlags, homePaths } from './context.ts';

export interface ReleaseFlags extends GlobalFlags {
  /** Milliseconds. */
  readonly for: number;
}

/** `mmrelay radio release`. @throws RelayError CONTROL_*, in words for a person */
export async function radioRelease(flags: ReleaseFlags, name: string | null): Promise<ExitCode> {
  const args = { radio: name, forMs: flags.for };
  const { radio, untilMs } = await askDaemon(homePaths(flags).home.path, 'radio-release', { args });
  const left = ageText(untilMs - systemClock.now());
  console.log(`✅ Radio ${radio} is free until ${timeText(untilMs)} (${left}). Texts for it wait.`);
  console.log('   `mmrelay radio claim` takes it back before.');
  return EXIT.ok;
}

/** `mmrelay radio claim`. @throws RelayError CONTROL_*, in words for a person */
export async function radioClaim(flags: GlobalFlags, name: string | null): Promise<ExitCode> {
  const { radio } = await askDaemon(homePaths(flags).home.path, 'radio-claim', { args: { radio: name } });
  console.log(`✅ The relay takes radio ${radio} back.`);
  return EXIT.ok;
}
