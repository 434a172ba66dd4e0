import { Option } from 'commander';
import type { GlobalFlags } from '../context.ts';
import type { DoctorFlags } from '../doctor.ts';
import type { RadiosFlags } from '../radios.ts';
import type { StatusFlags } from '../status.ts';
import { addCommand, type Registry } from './registry.ts';

/** paths, status, doctor, radios, version. */
export function addInsightCommands(registry: Registry): void {
  const { program } = registry;
  addCommand(
    registry,
    program,
    { usage: 'paths', description: 'where everything lies' },
    async (flags: GlobalFlags & { readonly json?: boolean }) => (await import('../paths.ts')).paths(flags),
  ).option('--json', 'as JSON');
  addCommand(
    registry,
    program,
    {
      usage: 'status',
      description: 'what the running relay says of itself: both links, what waits, versions',
      more: '\nExit code: 0 it runs and answers, 1 it does not. `mmrelay doctor` looks at everything else, too.',
    },
    async (flags: StatusFlags) => (await import('../status.ts')).status(flags),
  ).option('--json', 'as JSON');
  addCommand(
    registry,
    program,
    {
      usage: 'doctor',
      description: 'look at everything and say what is wrong',
      more: `
Exit code: 0 fine or warnings, 1 unhealthy, 2 usage.
Beside a running daemon doctor asks the daemon's own state and contacts nobody; --online asks radio and homeserver too.
As a liveness probe: mmrelay doctor --liveness (offline, quick; fails only for what a restart can cure).`,
    },
    async (flags: DoctorFlags) =>
      flags.liveness === true
        ? (await import('../doctor-liveness.ts')).doctorLiveness(flags)
        : (await import('../doctor.ts')).doctor(flags),
  )
    .option('--liveness', 'only whether the daemon lives')
    .option('--migration', 'fail when a migration is due or incomplete')
    .option('--online', 'contact the homeserver even beside a running daemon')
    .addOption(new Option('--offline', 'contact nobody').conflicts('online'))
    .option('--json', 'as JSON');
  addCommand(
    registry,
    program,
    {
      usage: 'radios',
      description: 'look for radios on USB, over Bluetooth and in the network',
      more: `
--ask connects to each for a moment to learn its name and firmware. A radio serves one client at a time: over the
network another client loses its connection, and packets that wait in the radio go to us and are dropped.`,
    },
    async (flags: RadiosFlags) => (await import('../radios.ts')).radios(flags),
  )
    .option('--ask', 'connect to each and ask')
    .option('--json', 'as JSON');
  addCommand(registry, program, { usage: 'version', description: 'show the version', hidden: true }, async () =>
    (await import('../version.ts')).version(),
  );
}
