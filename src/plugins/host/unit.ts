import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import type { CommandInfo } from '../api.ts';
import type { Job, Manifest, RuntimeSetup } from '../protocol.ts';
import { limitedFetch } from '../runtime/fetch.ts';
import { Scheduler } from '../schedule/scheduler.ts';
import { timingOf } from '../schedule/timing.ts';
import { HostCalls } from './calls.ts';
import { Circuit } from './circuit.ts';
import { InProcessLink } from './in-process-link.ts';
import type { PluginLimits } from './limits.ts';
import type { InboundMessage, PluginLink, PluginSpec, PluginState, PluginStoreAccess, RelayAccess } from './types.ts';
import { type WorkerLimits, WorkerLink } from './worker-link.ts';

export interface UnitOptions {
  readonly spec: PluginSpec;
  readonly setup: RuntimeSetup;
  readonly relay: RelayAccess;
  readonly store: PluginStoreAccess;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly limits: PluginLimits;
  readonly workerLimits: WorkerLimits;
  readonly claimDeadlineMs: number;
  readonly commands: () => readonly CommandInfo[];
}

interface RunningJob {
  readonly inbound: InboundMessage | null;
  readonly claim: () => void;
}

/** Errors in a row after which a plugin is started anew. */
const MAX_ERRORS = 20;
const STOP_GRACE_MS = 2_000;
/** Answers in time that a plugin missed in a row; after that nobody waits for it until it is quick again. */
const MAX_LATE = 3;

/**
 * One plugin through its life: loading, running, dying, starting again. One per active plugin. Holds the link to where
 * it runs and the jobs under way. Invariant: nothing of the plugin's doing throws out of here.
 */
export class PluginUnit {
  readonly spec: PluginSpec;
  readonly #options: UnitOptions;
  readonly #logger: Logger;
  readonly #calls: HostCalls;
  readonly #circuit: Circuit;
  readonly #jobs = new Map<number, RunningJob>();
  #link: PluginLink | null = null;
  #scheduler: Scheduler | null = null;
  #manifest: Manifest | null = null;
  /** Of the code that runs; null while none does, and in our own thread, where code is loaded once. */
  #stamp: string | null = null;
  #status: PluginState['status'] = 'loading';
  #reason: string | null = null;
  #restarts = 0;
  #jobCount = 0;
  #errors = 0;
  #late = 0;
  #overflow = 0;
  #cancelRestart: () => void = () => undefined;

  constructor(options: UnitOptions) {
    this.#options = options;
    this.spec = options.spec;
    this.#logger = options.logger.child(`plugin.${options.spec.name}`);
    this.#circuit = new Circuit(options.clock, options.random);
    this.#calls = new HostCalls({
      ...options,
      logger: this.#logger,
      inbound: (job) => this.#jobs.get(job)?.inbound ?? null,
      onClaim: (job) => this.#jobs.get(job)?.claim(),
      needs: () => this.#manifest?.needs ?? null,
    });
  }

  /** What it last said of itself; null when it never came up. */
  manifest(): Manifest | null {
    return this.#manifest;
  }

  /** True when the file it runs from was changed since it was read. */
  hasNewCode(): boolean {
    const { code } = this.spec;
    return code.kind === 'worker' && this.#stamp !== null && code.stamp() !== this.#stamp;
  }

  isActive(): boolean {
    return this.#status === 'active';
  }

  state(): PluginState {
    const { name, tier } = this.spec;
    const version = this.#manifest?.version ?? null;
    return { name, tier, version, status: this.#status, reason: this.#reason, restarts: this.#restarts };
  }

  /** Lower runs first. */
  priority(): number {
    return this.spec.priority ?? this.#manifest?.priority ?? 100;
  }

  /** Brings it up; resolves when it is up or has failed, never rejects. */
  async start(): Promise<void> {
    if (this.#status === 'stopped') return;
    this.#status = 'loading';
    try {
      const link = await this.#connect();
      if (this.#hasStopped()) return void link.stop(0);
      this.#link = link;
      const manifest = await link.start();
      // Taken out of the configuration meanwhile: a plugin in our own thread cannot be interrupted.
      if (this.#hasStopped()) return await link.stop(0);
      if (manifest.name !== this.spec.name) {
        await link.stop(0);
        throw new RelayError(
          'PLUGIN_NAME',
          `It calls itself "${manifest.name}"; the configuration and its folder must use the same name`,
        );
      }
      this.#onReady(manifest);
    } catch (error) {
      this.#onStartFailure(error);
    }
  }

  async stop(): Promise<void> {
    this.#status = 'stopped';
    this.#cancelRestart();
    this.#scheduler?.stop();
    const link = this.#link;
    this.#link = null;
    try {
      await link?.stop(STOP_GRACE_MS);
    } catch (error) {
      this.#logger.warn('The plugin failed while it was stopped', { error: errorText(error) });
    }
  }

  /** Gives it something to do that nobody waits for. */
  dispatch(job: Job, inbound: InboundMessage | null): void {
    void this.#run(job, inbound, () => undefined);
  }

  /**
   * Offers a message. Resolves with true as soon as the plugin claims it, with false when it is done without, or when
   * `deadline` comes first. A plugin that was late several times in a row is offered it without waiting.
   */
  async offer(job: Job, inbound: InboundMessage, deadline: Promise<void>): Promise<boolean> {
    const claimed = Promise.withResolvers<boolean>();
    const startMs = this.#options.clock.monotonic();
    const isSlow = this.#late >= MAX_LATE;
    void this.#run(job, inbound, () => claimed.resolve(true)).then((handled) => {
      if (this.#options.clock.monotonic() - startMs < this.#options.claimDeadlineMs) this.#late = 0;
      claimed.resolve(handled);
    });
    if (isSlow) return false;
    const answer = await Promise.race([claimed.promise, deadline]);
    if (answer !== undefined) return answer;
    this.#late += 1;
    this.#logger.warn('The plugin did not answer in time; the message is relayed', { late: this.#late });
    return false;
  }

  #hasStopped(): boolean {
    return this.#status === 'stopped';
  }

  async #connect(): Promise<PluginLink> {
    const { setup, clock, workerLimits, spec } = this.#options;
    const host = (call: Parameters<HostCalls['answer']>[0]): Promise<unknown> => this.#calls.answer(call);
    if (spec.code.kind === 'in-process')
      return new InProcessLink({ load: spec.code.load, setup, host, clock, fetch: limitedFetch });
    const entry = await spec.code.locate();
    this.#stamp = spec.code.stamp();
    const link: WorkerLink = new WorkerLink({
      entry,
      setup,
      host,
      clock,
      limits: workerLimits,
      onOutput: (text) => this.#logger.debug('The plugin printed', { text }),
      onDeath: (reason) => this.#onDeath(link, reason),
    });
    return link;
  }

  #onReady(manifest: Manifest): void {
    this.#manifest = manifest;
    this.#status = 'active';
    this.#reason = null;
    this.#errors = 0;
    for (const warning of manifest.warnings) this.#logger.warn(`Configuration: ${warning}`);
    this.#logger.info('The plugin runs', { version: manifest.version, tier: this.spec.tier });
    this.#scheduler = new Scheduler(this.#options.clock);
    for (const [index, job] of manifest.schedule.entries()) {
      const timing = timingOf(job, this.spec.schedule, this.#options.setup.timeZone);
      if (typeof timing === 'function')
        this.#scheduler.add({ timing, run: () => this.#run({ kind: 'schedule', index }, null, () => undefined) });
      else this.#logger.warn('A job of the plugin will not run', { job: job.name, problem: timing.problem });
    }
  }

  /** What waiting may mend (its network, its origin) is tried again; else its code or its configuration has to change. */
  #onStartFailure(error: unknown): void {
    if (this.#hasStopped() || this.#status === 'waiting' || this.#status === 'broken') return;
    this.#link = null;
    if (!(error instanceof RelayError) || error.retry.kind !== 'never') {
      this.#restartLater(errorText(error));
      return;
    }
    this.#status = 'failed';
    this.#reason = errorText(error);
    this.#logger.error('The plugin cannot be started', { reason: this.#reason });
  }

  #onDeath(link: PluginLink, reason: string): void {
    if (this.#hasStopped() || (this.#link !== null && this.#link !== link)) return;
    // Dead before it ever ran: `start` reports it.
    if (this.#manifest === null) return;
    this.#link = null;
    this.#restartLater(reason);
  }

  #restartLater(reason: string): void {
    this.#scheduler?.stop();
    const next = this.#circuit.onDeath();
    this.#status = next.open ? 'broken' : 'waiting';
    this.#reason = reason;
    this.#restarts += 1;
    const fields = { reason, afterMs: next.afterMs };
    if (next.open) this.#logger.error('The plugin failed too often and rests', fields);
    else this.#logger.warn('The plugin failed and is started again', fields);
    this.#cancelRestart = this.#options.clock.after(next.afterMs, () => void this.start(), { background: true });
  }

  /** Runs one job. @returns true when the plugin says the message is its own; never rejects */
  async #run(job: Job, inbound: InboundMessage | null, claim: () => void): Promise<boolean> {
    const link = this.#link;
    if (link === null || !this.isActive()) return false;
    if (this.#jobs.size >= this.#options.limits.jobs) {
      this.#noteOverflow();
      return false;
    }
    this.#jobCount += 1;
    const id = this.#jobCount;
    this.#jobs.set(id, { inbound, claim });
    try {
      const handled = await link.run(id, job);
      this.#errors = 0;
      return handled;
    } catch (error) {
      this.#onError(job, error);
      return false;
    } finally {
      this.#jobs.delete(id);
    }
  }

  #noteOverflow(): void {
    this.#overflow += 1;
    if (this.#overflow === 1 || this.#overflow % 1_000 === 0)
      this.#logger.warn('The plugin does not keep up; messages are not offered to it', { count: this.#overflow });
  }

  #onError(job: Job, error: unknown): void {
    if (!this.isActive()) return;
    this.#errors += 1;
    this.#logger.error('The plugin failed', { job: job.kind, error: errorText(error) });
    if (this.#errors < MAX_ERRORS) return;
    const link = this.#link;
    this.#link = null;
    void link?.stop(0);
    this.#restartLater(`${MAX_ERRORS} errors in a row, the last: ${errorText(error)}`);
  }
}
