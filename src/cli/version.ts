import { VERSION } from '../app/version.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';

/** `mmrelay version`, for those who expect it. */
export function version(): ExitCode {
  console.log(`MMRelay version ${VERSION}`);
  return EXIT.ok;
}
