import { Engine, type EngineOptions } from '../../src/relay/engine.ts';
import type { RelayObserver } from '../../src/relay/observer.ts';
import type { RelaySettings } from '../../src/relay/settings.ts';
import type { StorePort } from '../../src/relay/store-port.ts';
import { openStore } from '../../src/store/open-store.ts';
import { type Logger, silentLogger } from '../../src/util/logger.ts';
import { ManualClock } from '../../src/util/manual-clock.ts';
import { FakeMatrix, FakeRadio } from './fake-ports.ts';
import { NOW_MS, settings } from './relay-fixture.ts';

const nothing = (): void => undefined;

export const silentObserver: RelayObserver = {
  onMatrixState: nothing,
  onRadioState: nothing,
  onRadioInfo: nothing,
  onNotification: nothing,
  onPacket: nothing,
  onRoomEvent: nothing,
  onDropped: nothing,
  onRoomOutcome: nothing,
  onRadioOutcome: nothing,
};

export interface EngineFixture {
  readonly engine: Engine;
  readonly matrix: FakeMatrix;
  readonly radio: FakeRadio;
  readonly clock: ManualClock;
  readonly store: StorePort & { close(): void };
  readonly fatal: unknown[];
}

export interface FixtureOptions {
  readonly settings?: RelaySettings;
  readonly path?: string;
  readonly clock?: ManualClock;
  readonly observer?: Partial<RelayObserver>;
  readonly logger?: Logger;
  /** Plugins, which take messages for themselves. */
  readonly claim?: EngineOptions['claim'];
  /** Sets the stage before anything starts. */
  readonly prepare?: (ports: { readonly matrix: FakeMatrix; readonly radio: FakeRadio }) => void;
}

/** A started engine between fakes, on a clock that stands still. */
export async function startEngine(options: FixtureOptions = {}): Promise<EngineFixture> {
  const clock = options.clock ?? new ManualClock(NOW_MS);
  const store = openStore({ path: options.path ?? ':memory:', clock, logger: silentLogger });
  const matrix = new FakeMatrix();
  const radio = new FakeRadio();
  options.prepare?.({ matrix, radio });
  const fatal: unknown[] = [];
  const engine = new Engine({
    store,
    matrix,
    radios: new Map([[radio.name, radio]]),
    settings: options.settings ?? settings(),
    clock,
    logger: options.logger ?? silentLogger,
    random: () => 0.5,
    observer: { ...silentObserver, ...options.observer },
    claim: options.claim ?? (() => Promise.resolve(false)),
    onFatal: (error) => fatal.push(error),
  });
  engine.start();
  matrix.sync([], true);
  await clock.advance(0);
  return { engine, matrix, radio, clock, store, fatal };
}
