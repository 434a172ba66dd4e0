import { askDaemon } from '../app/control/client.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { type GlobalFlags, homePaths } from './context.ts';

/** Plugins that are started anew get some seconds to say how that went. */
const TIMEOUT_MS = 15_000;

/** `mmrelay reload`: 0, or 3 when the configuration is broken. @throws RelayError CONTROL_*, in words for a person */
export async function reload(flags: GlobalFlags): Promise<ExitCode> {
  const outcome = await askDaemon(homePaths(flags).home.path, 'reload', { args: {}, timeoutMs: TIMEOUT_MS });
  const { applied, restart, errors, warnings } = outcome;
  for (const line of [...errors, ...warnings]) console.error(line);
  if (errors.length > 0) {
    console.error('❌ The configuration is not valid; the relay goes on with the one it has.');
    return EXIT.config;
  }
  console.log(applied.length === 0 ? '✅ Nothing to take over.' : `✅ In effect now: ${applied.join('; ')}`);
  if (restart.length > 0) console.log(`⚠️  Needs a restart: ${restart.join('; ')}`);
  return EXIT.ok;
}
