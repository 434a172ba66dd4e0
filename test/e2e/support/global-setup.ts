import type { TestProject } from 'vitest/node';
import { type PythonEnvName, pythonEnvState } from './python-env.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** Why the tests of a Python counterpart cannot run; null when they can. */
    readonly pythonMissing: Readonly<Record<PythonEnvName, string | null>>;
  }
}

/**
 * Makes the counterparts ready before the first e2e test. A missing one skips its tests by name; with
 * MMRELAY_E2E_REQUIRED=1 (CI) it fails the run.
 */
export async function setup(project: TestProject): Promise<void> {
  const [synapse, meshtastic, bumble, mmrelay, nio] = await Promise.all([
    pythonEnvState('synapse'),
    pythonEnvState('meshtastic'),
    pythonEnvState('bumble'),
    pythonEnvState('mmrelay'),
    pythonEnvState('nio'),
  ]);
  const states = [synapse, meshtastic, bumble, mmrelay, nio];
  const reasons = states.map(({ reason }) => reason).filter((reason) => reason !== null);
  if (reasons.length > 0 && process.env.MMRELAY_E2E_REQUIRED === '1') throw new Error(reasons.join('\n'));
  project.provide('pythonMissing', {
    synapse: synapse.reason,
    meshtastic: meshtastic.reason,
    bumble: bumble.reason,
    mmrelay: mmrelay.reason,
    nio: nio.reason,
  });
}
