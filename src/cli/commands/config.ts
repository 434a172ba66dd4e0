import type { CheckFlags } from '../config-check.ts';
import type { GenerateFlags } from '../config-generate.ts';
import type { GlobalFlags } from '../context.ts';
import { addCommand, type Registry } from './registry.ts';

/** config ... */
export function addConfigCommands(registry: Registry): void {
  const config = registry.program.command('config').description('configuration: generate, check, schema');
  addCommand(
    registry,
    config,
    { usage: 'check', description: 'check the configuration without starting anything' },
    async (flags: CheckFlags) => (await import('../config-check.ts')).configCheck(flags),
  )
    .option('--strict', 'treat warnings as errors')
    .option('--online', 'also log in (and out again), look at the rooms, and talk to the radio')
    .option('--json', 'the problems as JSON');
  addCommand(
    registry,
    config,
    { usage: 'generate', description: 'write the commented sample configuration' },
    async (flags: GenerateFlags) => (await import('../config-generate.ts')).configGenerate(flags),
  )
    .option('--output <path>', 'where to; - for standard output (default: --config, or config.yaml in the home)')
    .option('--force', 'overwrite; the old file is kept with .bak');
  addCommand(
    registry,
    config,
    {
      usage: 'schema',
      description: 'the JSON Schema of the configuration, for editors',
      more: '\nExample: mmrelay config schema > ~/.mmrelay/config.schema.json',
    },
    async () => (await import('../config-schema.ts')).configSchema(),
  );
  addCommand(
    registry,
    config,
    { usage: 'paths', description: 'where everything lies (the same as mmrelay paths)' },
    async (flags: GlobalFlags & { readonly json?: boolean }) => (await import('../paths.ts')).paths(flags),
  ).option('--json', 'as JSON');
  addCommand(
    registry,
    config,
    { usage: 'diagnose', description: 'where a configuration is looked for, and what is found' },
    async (flags: GlobalFlags) => (await import('../config-diagnose.ts')).configDiagnose(flags),
  );
}
