import { EXIT, type ExitCode } from '../util/exit-code.ts';
import type { GlobalFlags } from './context.ts';

/** `mmrelay service install`. */
export function serviceInstall(_flags: GlobalFlags): ExitCode {
  return EXIT.runtime;
}
