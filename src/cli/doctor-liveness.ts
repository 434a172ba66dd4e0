import { checkLiveness } from '../app/doctor/liveness.ts';
import { processEnv } from '../config/env.ts';
import { resolveHome } from '../config/paths.ts';
import { systemClock } from '../util/clock.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import type { DoctorFlags } from './doctor.ts';

/** `mmrelay doctor --liveness`, as a probe: 0 alive, 1 a restart would help. */
export function doctorLiveness(flags: DoctorFlags): ExitCode {
  const env = processEnv();
  const home = resolveHome({ cli: flags, env, cwd: process.cwd() });
  const { alive, reason } = checkLiveness({ home: home.path, env, clock: systemClock });
  console.log(flags.json === true ? JSON.stringify({ alive, reason }) : `${alive ? '✅' : '❌'} ${reason}`);
  return alive ? EXIT.ok : EXIT.runtime;
}
