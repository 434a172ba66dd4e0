import { jsonSchema } from '../config/json-schema.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';

/** `mmrelay config schema`. */
export function configSchema(): ExitCode {
  console.log(JSON.stringify(jsonSchema(), null, 2));
  return EXIT.ok;
}
