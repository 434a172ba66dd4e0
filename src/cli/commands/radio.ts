import { Option } from 'commander';
import type { GlobalFlags } from '../context.ts';
import type { ReleaseFlags } from '../radio.ts';
import { duration } from './duration.ts';
import { addCommand, type Registry } from './registry.ts';

/** radio release, radio claim. */
export function addRadioCommands(registry: Registry): void {
  const radio = registry.program.command('radio').description('the radio of the running relay: release, claim');
  const time = new Option('--for <time>', 'how long, as 90s, 10m or 2h; 7d at most');
  addCommand(
    registry,
    radio,
    {
      usage: 'release [name]',
      description: 'let the radio go for a phone or another program, for a while',
      more: `
The relay goes on: texts for the radio wait and leave when it is back. It takes the radio back when the time is over, also
after a restart, or with "mmrelay radio claim". The name is needed where there are several radios.`,
    },
    async (flags: ReleaseFlags, [name]) => (await import('../radio.ts')).radioRelease(flags, name ?? null),
  ).addOption(time.argParser(duration).default(600_000, '10m'));
  addCommand(
    registry,
    radio,
    { usage: 'claim [name]', description: 'take a released radio back now' },
    async (flags: GlobalFlags, [name]) => (await import('../radio.ts')).radioClaim(flags, name ?? null),
  );
}
