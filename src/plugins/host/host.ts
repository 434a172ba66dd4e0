import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import type { CommandInfo, Packet, RelayEvent } from '../api.ts';
import type { Job, RuntimeSetup } from '../protocol.ts';
import { CommandDesk } from './command-desk.ts';
import { PLUGIN_LIMITS, type PluginLimits } from './limits.ts';
import type { Inbound, InboundMessage, PluginSpec, PluginState, PluginStoreAccess, RelayAccess } from './types.ts';
import { PluginUnit } from './unit.ts';
import { WORKER_LIMITS, type WorkerLimits } from './worker-link.ts';

export interface PluginHostOptions {
  readonly plugins: readonly PluginSpec[];
  readonly relay: RelayAccess;
  readonly store: PluginStoreAccess;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  readonly admins: readonly string[];
  readonly userAgent: string;
  /** Of plugins that name none of their own; null: the machine's. */
  readonly timeZone: string | null;
  readonly claimDeadlineMs?: number;
  readonly limits?: Partial<PluginLimits>;
  readonly workerLimits?: Partial<WorkerLimits>;
}

const CLAIM_DEADLINE_MS = 200;
/** Messages of the first moments wait (each at most a claim deadline) for plugins that are being loaded. */
const STARTUP_MS = 5_000;

/**
 * Runs the plugins and lets them have the messages first. One per daemon. Holds a unit per plugin.
 * Invariant: `claim` answers within the claim deadline, whatever a plugin does; only a plugin that says so has a message.
 */
export class PluginHost {
  readonly #options: PluginHostOptions;
  #units: readonly PluginUnit[];
  #admins: readonly string[];
  readonly #desk: CommandDesk;
  readonly #claimDeadlineMs: number;
  #loading: Promise<unknown> | null = null;

  constructor(options: PluginHostOptions) {
    this.#options = options;
    this.#claimDeadlineMs = options.claimDeadlineMs ?? CLAIM_DEADLINE_MS;
    this.#admins = options.admins;
    this.#units = options.plugins.map((spec) => this.#unit(spec));
    this.#desk = new CommandDesk({
      ...options,
      admins: () => this.#admins,
      units: () => this.#active(),
      states: () => this.states(),
    });
  }

  /** Starts loading; resolves when every plugin is up or has failed. Nobody needs to wait for that. */
  async start(): Promise<void> {
    if (this.#units.length === 0) return;
    const all = Promise.all(this.#units.map((unit) => unit.start()));
    const startup = Promise.withResolvers<void>();
    const cancel = this.#options.clock.after(STARTUP_MS, () => startup.resolve(), { background: true });
    this.#loading = Promise.race([all, startup.promise]).then(() => {
      cancel();
      this.#loading = null;
    });
    await all;
  }

  async stop(): Promise<void> {
    await Promise.all(this.#units.map((unit) => unit.stop()));
  }

  /** Names of plugins whose code on the disk is not the one that runs: `replace` starts them anew. */
  withNewCode(): readonly string[] {
    return this.#units.filter((unit) => unit.hasNewCode()).map(({ spec }) => spec.name);
  }

  /**
   * Takes over another configuration: what runs and is the same in both, code included, goes on; one that does not run
   * is tried again.
   */
  async replace(plugins: readonly PluginSpec[], admins: readonly string[]): Promise<void> {
    const before = this.#units;
    const healthy = before.filter((unit) => ['active', 'loading'].includes(unit.state().status) && !unit.hasNewCode());
    const kept = new Map(healthy.map((unit) => [fingerprint(unit.spec), unit]));
    this.#admins = admins;
    this.#units = plugins.map((spec) => kept.get(fingerprint(spec)) ?? this.#unit(spec));
    const fresh = this.#units.filter((unit) => !before.includes(unit));
    await Promise.all(before.filter((unit) => !this.#units.includes(unit)).map((unit) => unit.stop()));
    await Promise.all(fresh.map((unit) => unit.start()));
  }

  states(): readonly PluginState[] {
    return this.#units.map((unit) => unit.state());
  }

  commands(): readonly CommandInfo[] {
    return this.#desk.commands();
  }

  /** Lets the plugins have a message. @returns true when one of them took it: then it is not relayed */
  async claim(inbound: Inbound): Promise<boolean> {
    if (this.#units.length === 0) return false;
    if (inbound.kind === 'relay') return this.#tellRelayEvent(inbound.event);
    const { promise: deadline, cancel } = this.#deadline();
    try {
      if (this.#loading !== null) await Promise.race([this.#loading, deadline]);
      if (this.#desk.take(inbound)) return true;
      return await this.#offer(inbound, deadline);
    } finally {
      cancel();
      // Nobody waits for these: the message goes first.
      if (inbound.kind === 'mesh') setImmediate(() => this.#tellPacket(inbound.packet));
    }
  }

  #tellPacket(packet: Packet): void {
    for (const unit of this.#active())
      if (unit.manifest()?.handles.packet === true) unit.dispatch({ kind: 'packet', packet }, null);
  }

  #tellRelayEvent(event: RelayEvent): false {
    for (const unit of this.#active()) {
      const { handles } = unit.manifest() ?? {};
      if (handles?.relayEvent && this.#desk.onChannel(unit, { ...event, direct: false }))
        unit.dispatch({ kind: 'relay-event', event }, null);
    }
    return false;
  }

  /** In order of priority, until one takes it; a late one is passed over, and those behind it are only told. */
  async #offer(inbound: InboundMessage, deadline: Promise<void>): Promise<boolean> {
    const job = textJob(inbound);
    if (job === null) return false;
    for (const unit of this.#active()) {
      const handles = unit.manifest()?.handles;
      if (job.kind === 'mesh-text' ? !handles?.meshText : !handles?.roomMessage) continue;
      if (inbound.kind === 'mesh' && !this.#desk.onChannel(unit, inbound.packet)) continue;
      if (unit.manifest()?.onlyListens === true) setImmediate(() => unit.dispatch(job, inbound));
      else if (await unit.offer(job, inbound, deadline)) return true;
    }
    return false;
  }

  #active(): readonly PluginUnit[] {
    return this.#units.filter((unit) => unit.manifest() !== null).sort((a, b) => a.priority() - b.priority());
  }

  #deadline(): { readonly promise: Promise<void>; readonly cancel: () => void } {
    const { promise, resolve } = Promise.withResolvers<void>();
    return { promise, cancel: this.#options.clock.after(this.#claimDeadlineMs, resolve) };
  }

  #unit(spec: PluginSpec): PluginUnit {
    const { limits, workerLimits } = this.#options;
    return new PluginUnit({
      ...this.#options,
      spec,
      setup: setupOf(spec, this.#options),
      limits: { ...PLUGIN_LIMITS, ...limits },
      workerLimits: { ...WORKER_LIMITS, ...workerLimits },
      claimDeadlineMs: this.#claimDeadlineMs,
      commands: () => this.#desk.commands(),
    });
  }
}

/** Equal for specs that would run alike: where the code is follows from the rest. */
function fingerprint(spec: PluginSpec): string {
  return JSON.stringify({ ...spec, code: null });
}

function setupOf({ settings }: PluginSpec, options: PluginHostOptions): RuntimeSetup {
  const text = (value: unknown, otherwise: string): string =>
    typeof value === 'string' && value !== '' ? value : otherwise;
  return {
    // Only data crosses to a thread; the configuration is YAML, so nothing is lost.
    settings: JSON.parse(JSON.stringify(settings)) as Readonly<Record<string, unknown>>,
    locale: text(settings.locale, 'en'),
    units: settings.units === 'imperial' ? 'imperial' : 'metric',
    timeZone: validZone(settings.time_zone) ?? options.timeZone,
    userAgent: options.userAgent,
  };
}

function validZone(name: unknown): string | null {
  if (typeof name !== 'string' || name === '') return null;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone;
  } catch {
    return null; // No such zone: the general one is taken.
  }
}

function textJob(inbound: InboundMessage): Extract<Job, { kind: 'mesh-text' | 'room-message' }> | null {
  if (inbound.kind === 'mesh') return inbound.text === null ? null : { kind: 'mesh-text', message: inbound.text };
  return inbound.stale ? null : { kind: 'room-message', message: inbound.message };
}
