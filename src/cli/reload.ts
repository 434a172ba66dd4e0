import { askDaemon } from '../app/control/client.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { type GlobalFlags, homePaths } from './context.ts';

/** `mmrelay reload`. @throws RelayError CONTROL_*, in words for a person */
export async function reload(flags: GlobalFlags): Promise<ExitCode> {
  await askDaemon(homePaths(flags).home.path, 'reload', { args: {} });
  console.log('✅ The relay has read its configuration again; its log says what took effect.');
  return EXIT.ok;
}
