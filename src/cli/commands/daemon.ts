import { setEngineFlags } from '../../util/engine-flags.ts';
import type { ExitCode } from '../../util/exit-code.ts';
import type { GlobalFlags } from '../context.ts';
import type { DemoFlags } from '../demo.ts';
import { duration } from './duration.ts';
import { addCommand, type Registry } from './registry.ts';

/** Actions of mmrelay 1.x that were flags. */
interface OldActionFlags extends GlobalFlags {
  readonly generateConfig?: boolean;
  readonly checkConfig?: boolean;
  readonly installService?: boolean;
  readonly auth?: boolean;
}

/** `mmrelay` without a command: the daemon, or what an old action flag asks for. */
export async function runRoot(flags: OldActionFlags): Promise<ExitCode> {
  const instead = (flag: string, command: string): void =>
    console.error(`Warning: ${flag} is deprecated. Use '${command}' instead.`);
  if (flags.installService === true) {
    instead('--install-service', 'mmrelay service install');
    return (await import('../service.ts')).serviceInstall(flags);
  }
  if (flags.generateConfig === true) {
    instead('--generate-config', 'mmrelay config generate');
    return (await import('../config-generate.ts')).configGenerate(flags);
  }
  if (flags.checkConfig === true) {
    instead('--check-config', 'mmrelay config check');
    return (await import('../config-check.ts')).configCheck(flags);
  }
  if (flags.auth === true) {
    instead('--auth', 'mmrelay auth login');
    return (await import('../auth-login.ts')).authLogin(flags);
  }
  return runDaemon(flags);
}

/** The flags are for a process that stays; each command that ends at once would only start slower by them. */
async function runDaemon(flags: GlobalFlags): Promise<ExitCode> {
  setEngineFlags();
  return (await import('../run.ts')).run(flags);
}

/** run, reload, demo. */
export function addDaemonCommands(registry: Registry): void {
  const { program } = registry;
  addCommand(registry, program, { usage: 'run', description: 'run the relay (the same as no command)' }, runDaemon);
  addCommand(
    registry,
    program,
    {
      usage: 'reload',
      description: 'tell the running relay to read its configuration again (as SIGHUP does)',
      more: `
Says what took effect and what needs a restart. A changed file is noticed within ten seconds anyway.
Exit code: 0 read, 1 no relay runs, 3 the configuration is not valid and nothing changed.`,
    },
    async (flags: GlobalFlags) => (await import('../reload.ts')).reload(flags),
  );
  addCommand(
    registry,
    program,
    {
      usage: 'demo',
      description: 'the whole relay between a virtual mesh and an in-memory homeserver; needs nothing',
    },
    async (flags: DemoFlags) => (await import('../demo.ts')).demo(flags),
  )
    .option('--for <duration>', 'end after this time, as 10s or 2m', duration)
    .option('--quiet', 'no scripted chatter, only what you type')
    .option('--plugin <name>', 'with one of your plugins: its name, or a path');
}
