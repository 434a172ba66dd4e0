import type { AppPaths } from '../../config/paths.ts';
import type { RelayConfig } from '../../config/types.ts';
import { tokensOf, writeCredentials } from '../../matrix/auth/credentials-file.ts';
import { createMatrix, type MatrixAdapter } from '../../matrix/client.ts';
import { assessHealth, type HealthReport, matrixHealth, radioHealth } from '../../observe/health.ts';
import type { RelayStatus } from '../../plugins/api.ts';
import type { PluginHost } from '../../plugins/host/host.ts';
import type { VirtualNode } from '../../radio/virtual-node/virtual-node.ts';
import { isDirectRoom } from '../../relay/direct-rooms.ts';
import { Engine } from '../../relay/engine.ts';
import { isKnownRoom } from '../../relay/intake/room-history.ts';
import type { RelayObserver } from '../../relay/observer.ts';
import type { GuestPacket, RadioInfo, RadioPort } from '../../relay/ports.ts';
import { openStore, type Store } from '../../store/open-store.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import { adminVerification } from '../account/admin-verification.ts';
import { type AuthChoice, chooseAuth } from '../account/choose-auth.ts';
import { buildCrypto, encryptedRooms } from '../account/encryption.ts';
import type { StateSource } from '../metrics/state-metrics.ts';
import {
  createPlugins,
  type PluginChange,
  pluginClaim,
  pluginTroubles,
  replacePlugins,
} from '../plugins/create-plugins.ts';
import { buildRadios } from '../radios/build-radios.ts';
import { warnOfMappings } from '../radios/mapping-warnings.ts';
import { RadioReleases } from '../radios/radio-releases.ts';
import { shareRadio } from '../radios/share-radio.ts';
import { type LiveSettings, liveSettings } from '../reload/live-settings.ts';
import { activityLog } from './activity-log.ts';
import { LinkHistory } from './link-history.ts';
import { observers } from './observers.ts';
import { relaySettings } from './relay-settings.ts';
import { type DaemonStatus, relayStatus } from './relay-status.ts';
import { roomMemory } from './room-memory.ts';

export interface DaemonOptions {
  readonly config: RelayConfig;
  readonly paths: AppPaths;
  readonly clock: Clock;
  readonly random: () => number;
  readonly logger: Logger;
  /** A failure that only a restart can mend, or not even that. */
  readonly onFatal: (error: unknown) => void;
  /** Hears the homeserver's wall time, for a machine without a clock of its own. */
  readonly onServerTime?: (nowMs: number) => void;
  /** Hears the tokens of each session before they are used. */
  readonly onSecrets?: (secrets: readonly string[]) => void;
  /** Who else wants to know what happens, beside the log. */
  readonly observer?: Partial<RelayObserver>;
}

/** The running relay: object graph and lifecycle. One per process. */
export interface Daemon {
  start(): void;
  /** After a failure: Matrix ends at once, and while the disk is full this waits, for what the radio handed over is in memory only. */
  settle(impatient: AbortSignal): Promise<void>;
  /** Ends both sides and closes the store; what is not delivered stays in it. */
  stop(): Promise<void>;
  health(): HealthReport;
  /** True while the store answers and the lanes move: what only a restart cures makes it false. */
  alive(): boolean;
  /** For gauges: what is looked up when somebody asks. */
  readonly source: StateSource;
  /** All it knows of itself, for the command line. */
  status(): DaemonStatus;
  /** Lets radios go and takes them back. */
  readonly releases: RadioReleases;
  /**
   * Takes over what needs no restart (reload/compare.ts); the rest of the configuration must be the running one.
   * Plugins whose code was changed on the disk are started anew.
   */
  reconfigure(config: RelayConfig): PluginChange;
  /** Where phone apps connect; 0 while the radio is not shared. */
  readonly virtualNodePort: number;
}

/**
 * Builds everything; nothing happens before `start`.
 * @throws RelayError STORE_*, MATRIX_* (credentials), CONFIG_*
 */
export function createDaemon(options: DaemonOptions): Daemon {
  const { config, paths, clock, logger } = options;
  const auth = chooseAuth(config.matrix, paths);
  if (auth.credentials !== null) options.onSecrets?.(tokensOf(auth.credentials));
  const store = openStore({
    path: paths.database.path,
    logger,
    clock,
    busyTimeoutMs: config.database.busyTimeoutMs,
    pragmas: config.database.pragmas,
    enableWal: config.database.wal,
    keepOldRows: config.database.messagesToKeep,
  });
  if (config.database.wipeOnRestart) store.wipeLinks();
  const admins = { current: config.matrix.admins };
  const matrix = buildMatrix(options, { auth, store, admins: () => admins.current });
  return new RunningDaemon(options, {
    store,
    matrix,
    admins,
    radios: buildRadios(config.radios, { ...options, ...store }),
  });
}

function buildMatrix(
  options: DaemonOptions,
  {
    auth,
    store,
    admins,
  }: { readonly auth: AuthChoice; readonly store: Store; readonly admins: () => readonly string[] },
): MatrixAdapter {
  const { config, paths, clock, logger, random } = options;
  const verification = adminVerification(admins, logger);
  const crypto = buildCrypto({ ...options, verification }, auth.login?.password ?? null);
  return createMatrix({
    ...auth,
    ...(crypto === undefined ? {} : { crypto }),
    encryptedRooms: encryptedRooms(store.values),
    upgradedRooms: roomMemory(store.values, 'upgraded'),
    sentBy: roomMemory(store.values, 'sent-by'),
    saveCredentials: (credentials) => {
      options.onSecrets?.(tokensOf(credentials));
      writeCredentials(paths.credentials.path, credentials);
    },
    rooms: config.rooms.map(({ id }) => id),
    welcomes: (userId) => admins().includes(userId),
    clock,
    logger,
    random,
    isDirectRoom: (roomId) => isDirectRoom(roomId, store.values),
    wasInside: (roomId) => isKnownRoom(roomId, store.values),
    isKnownEvent: (eventId) => store.inbox.hasEvent(eventId),
    maxBackfillAgeMs: config.relay.maxAgeMs,
    ...(options.onServerTime === undefined ? {} : { onServerTime: options.onServerTime }),
  });
}

const DISK_CHECK_MS = 1_000;

interface Parts {
  /** Replaced by a reload. */
  readonly admins: { current: readonly string[] };
  readonly store: Store;
  readonly matrix: MatrixAdapter;
  readonly radios: ReadonlyMap<string, RadioPort>;
}

class RunningDaemon implements Daemon {
  readonly #options: DaemonOptions;
  readonly #parts: Parts;
  readonly #engine: Engine;
  readonly #shared: VirtualNode | null;
  readonly #live: LiveSettings;
  readonly #plugins: PluginHost;
  readonly #history = new LinkHistory();
  readonly #startedAtMs: number;
  readonly source: StateSource;
  readonly releases: RadioReleases;
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  #wasReady = false;

  constructor(options: DaemonOptions, parts: Parts) {
    this.#options = options;
    this.#parts = parts;
    this.#startedAtMs = options.clock.now();
    const { store, matrix, radios } = parts;
    this.releases = new RadioReleases({ ...options, ...store, radios });
    this.#live = liveSettings(relaySettings(options.config));
    const observer = observers([
      activityLog(options.logger),
      { onRadioInfo: (name, info) => this.#warnOfMappings(name, info) },
      this.#history.observer,
      options.observer ?? {},
    ]);
    this.source = {
      matrix: () => matrix.state(),
      radios,
      lanes: () => store.outbox.depths(),
      storeSize: () => store.size(),
      air: (radio) => this.#engine.air(radio),
      isReleased: (radio) => this.releases.untilMs(radio) !== null,
    };
    this.#plugins = createPlugins({
      ...options,
      ...parts,
      view: () => this.#engine.view(),
      submit: (intents, origin) => this.#engine.submit(intents, origin),
      status: () => this.#relayStatus(),
      releases: this.releases,
    });
    this.#engine = new Engine({
      ...options,
      ...parts,
      settings: this.#live.settings,
      observer,
      claim: pluginClaim(this.#plugins, { ...options, matrix }),
    });
    const offer = (radio: string, packet: GuestPacket): boolean => this.#engine.offerGuest(radio, packet);
    this.#shared = shareRadio(options.config.virtualNode, { ...options, radios, offer });
  }

  start(): void {
    void this.#plugins.start();
    this.releases.restore();
    this.#engine.start();
    void this.#shared?.start();
    this.#phase = 'running';
  }

  async settle(impatient: AbortSignal): Promise<void> {
    const { clock, logger } = this.#options;
    await this.#parts.matrix.stop();
    for (let waits = 0; this.#diskFull() && !impatient.aborted; waits += 1) {
      if (waits === 0) logger.error('The disk is full: the relay ends when there is room again');
      await sleep(clock, DISK_CHECK_MS, impatient);
    }
  }

  #diskFull(): boolean {
    const { store } = this.#parts;
    try {
      store.transaction(() => store.values.set('disk_checked', String(this.#options.clock.now())));
      return false;
    } catch (error) {
      return error instanceof RelayError && error.code === 'STORE_FULL';
    }
  }

  async stop(): Promise<void> {
    this.#phase = 'stopping';
    await this.#shared?.stop();
    // The engine first: a command that comes now waits in the inbox and is not taken for chat.
    await this.#engine.stop();
    await this.#plugins.stop();
    this.#parts.store.close();
  }

  get virtualNodePort(): number {
    return this.#shared?.port ?? 0;
  }

  reconfigure(config: RelayConfig): PluginChange {
    this.#live.replace(relaySettings(config));
    for (const radio of this.#parts.radios.values()) this.#warnOfMappings(radio.name, radio.info());
    this.#parts.admins.current = config.matrix.admins;
    this.#parts.matrix.mapRooms(config.rooms.map(({ id }) => id));
    this.#engine.followSettings();
    return replacePlugins(this.#plugins, config, this.#options);
  }

  #warnOfMappings(name: string, info: RadioInfo | null): void {
    warnOfMappings({ name, info }, this.#live.settings, this.#options.logger);
  }

  alive(): boolean {
    try {
      this.#parts.store.values.get('alive');
      return this.#phase !== 'stopping' && this.#engine.stuckLoops().length === 0;
    } catch (error) {
      this.#options.logger.error('The store does not answer', { error: errorText(error) });
      return false;
    }
  }

  status(): DaemonStatus {
    return {
      ...this.#relayStatus(),
      pid: process.pid,
      health: this.health(),
      plugins: this.#plugins.states(),
      links: this.#history.all(),
    };
  }

  #relayStatus(): RelayStatus {
    const { store } = this.#parts;
    return relayStatus({
      ...this.#parts,
      releases: this.releases,
      lanes: store.outbox.depths(),
      world: this.#engine.view(),
      nowMs: this.#options.clock.now(),
      startedAtMs: this.#startedAtMs,
    });
  }

  health(): HealthReport {
    const { matrix, radios } = this.#parts;
    const report = assessHealth({
      phase: this.#phase,
      storeOpen: this.#phase !== 'stopping',
      matrix: matrixHealth(matrix.state()),
      radios: [...radios.values()].map((radio) =>
        radioHealth(radio.name, radio.state(), this.releases.untilMs(radio.name)),
      ),
      requires: this.#options.config.health.readyRequires,
      wasReady: this.#wasReady,
      troubles: [
        ...this.#engine.stuckLoops().map((loop) => `${loop} is stuck`),
        ...[...this.#engine.blockedRooms()].map(([room, reason]) =>
          reason.includes(room) ? reason : `${room}: ${reason}`,
        ),
        ...pluginTroubles(this.#plugins),
      ],
    });
    this.#wasReady ||= report.ready;
    return report;
  }
}
