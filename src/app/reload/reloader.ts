import { statSync } from 'node:fs';
import { renderProblems } from '../../config/problems.ts';
import type { FoundConfig } from '../../config/search.ts';
import type { RelayConfig } from '../../config/types.ts';
import type { LogSystem } from '../../observe/logger.ts';
import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import type { Daemon } from '../daemon/daemon.ts';
import { type Change, compareConfigs, takeOver } from './compare.ts';

/** What came of reading the configuration again; with errors nothing has changed. Lines for a person. */
export interface ReloadOutcome extends Change {
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
}

const NOTHING: ReloadOutcome = { applied: [], restart: [], errors: [], warnings: [] };

/** Reads the configuration as the start did, overrides of the command line included. */
export type ReadConfig = () => FoundConfig;

export interface ReloaderOptions {
  /** What runs. */
  readonly config: RelayConfig;
  readonly readConfig?: ReadConfig;
  readonly daemon: Pick<Daemon, 'reconfigure'>;
  readonly log: Pick<LogSystem, 'setLevels' | 'hide'>;
  readonly logger: Logger;
  readonly clock: Clock;
}

/** Watching a file by its name survives editors that replace it, and Kubernetes, which swaps folders. */
const LOOK_MS = 10_000;

/**
 * Takes over what changed in the configuration while the relay runs. One per daemon. Holds the configuration in
 * effect; invariant: a broken file changes nothing.
 */
export class Reloader {
  readonly #options: ReloaderOptions;
  #running: RelayConfig;
  /** What was read at the start; null: no file, or not known. */
  #file: string | null = null;
  #seen = '';
  #cancel: () => void = () => undefined;

  constructor(options: ReloaderOptions) {
    this.#options = options;
    this.#running = options.config;
  }

  /** Looks at the file every ten seconds. */
  watch(): void {
    const { readConfig, clock } = this.#options;
    if (readConfig === undefined) return;
    const { file } = readConfig();
    if (file === null) return;
    this.#file = file;
    this.#seen = stampOf(file);
    const look = (): void => {
      const stamp = stampOf(file);
      if (stamp !== '' && stamp !== this.#seen) void this.reload('the file changed');
      if (stamp !== '') this.#seen = stamp;
      this.#cancel = clock.after(LOOK_MS, look, { background: true });
    };
    this.#cancel = clock.after(LOOK_MS, look, { background: true });
  }

  stop(): void {
    this.#cancel();
  }

  /** All is taken over when this returns; what it resolves with is known once plugins have had time to start. */
  async reload(why: string): Promise<ReloadOutcome> {
    const { readConfig, daemon, log, logger } = this.#options;
    if (readConfig === undefined) return NOTHING;
    const found = readConfig();
    // Before anything is said of them, be they valid or not.
    log.hide(found.secrets);
    // Of a file that is gone for a moment, the search would fall back to somebody else's.
    const isOther = this.#file !== null && found.file !== this.#file;
    if (found.config === null || isOther) {
      const problems = found.problems.filter(({ severity }) => severity === 'error');
      const errors = isOther ? [`${this.#file} is gone`] : renderProblems(problems);
      logger.error('The changed configuration is not valid; the old one stays in effect', { why, errors });
      return { ...NOTHING, errors };
    }
    const change = compareConfigs(this.#running, found.config);
    this.#running = takeOver(this.#running, found.config);
    log.setLevels(this.#running.logging);
    const { renewed, troubles } = daemon.reconfigure(this.#running);
    const applied = [...change.applied, ...renewed.map((name) => `new code of plugin ${name}`)];
    const warnings = renderProblems(found.problems.filter(({ severity }) => severity === 'warning'));
    if (warnings.length > 0) logger.warn('The configuration has warnings', { warnings });
    logger.info('Configuration reloaded', { why, applied });
    if (change.restart.length > 0)
      logger.warn('Some changes need a restart to take effect', { sections: change.restart });
    return { ...change, applied, errors: [], warnings: [...warnings, ...(await troubles)] };
  }
}

/** Changes with the file; '' while there is none, or its folder is out of reach: that must not end a relay that runs. */
function stampOf(file: string): string {
  try {
    const { ino, mtimeMs, size } = statSync(file);
    return `${ino}/${mtimeMs}/${size}`;
  } catch {
    return '';
  }
}
