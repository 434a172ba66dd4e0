import type { Clock } from '../../util/clock.ts';
import type { JsonObject } from '../../util/json.ts';
import type { Logger } from '../../util/logger.ts';
import { BROADCAST } from '../../util/node-id.ts';
import { errorText } from '../../util/relay-error.ts';
import { type RadioDelivery, radioLane } from '../delivery.ts';
import type { KnownRadios } from '../known-radios.ts';
import type { RadioPort } from '../ports.ts';
import { type RadioChannelRef, sameChannel } from '../rules/radio-pair.ts';
import type { RelaySettings } from '../settings.ts';
import type { OutboxRow, StorePort } from '../store-port.ts';
import { renumberPacket } from './renumber.ts';

/** A radio that reboots is back within this; only then is it worth another voice on the mesh. */
const PATIENCE_MS = 10_000;
const LOOK_EVERY_MS = 2_000;
const ROWS_AT_ONCE = 200;

interface Move {
  readonly rowId: number;
  readonly target: RadioChannelRef;
}

export interface FailoverOptions {
  readonly store: StorePort;
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly known: KnownRadios;
  readonly settings: RelaySettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly wakeLanes: (lanes: ReadonlySet<string>) => void;
  /** The radio of this lane may have put the row's packet on the air. */
  readonly isUndecided: (row: OutboxRow) => boolean;
}

/**
 * Takes what waits for a radio that is down to another one on the same channel (`radios.failover`). One per engine;
 * holds its timer and since when which radio is down. What still waits when the radio is back comes back too. A packet that the lost radio may have sent is settled by being
 * overheard (RadioLane.onOverheard) before its patience is over. Invariant: a row is in one lane at any time; direct
 * messages stay, since their answers go to the node they came from.
 */
export class RadioFailover {
  readonly #options: FailoverOptions;
  readonly #downSince = new Map<string, number>();
  #cancel: () => void = () => undefined;

  constructor(options: FailoverOptions) {
    this.#options = options;
  }

  start(): void {
    if (this.#options.radios.size > 1) this.#schedule();
  }

  stop(): void {
    this.#cancel();
  }

  /** A radio is up again: to be called before its lane sends, so that nothing newer overtakes. */
  onUp(radio: RadioPort): void {
    const { radios, settings, logger } = this.#options;
    if (radios.size === 1 || settings.radioFailover !== true) return;
    try {
      this.#takeBack(radio);
    } catch (error) {
      logger.error('Waiting messages could not be taken back from another radio', { error: errorText(error) });
    }
  }

  #schedule(): void {
    this.#cancel = this.#options.clock.after(LOOK_EVERY_MS, () => this.#round(), { background: true });
  }

  #round(): void {
    const { radios, settings, clock, logger } = this.#options;
    try {
      const nowMs = clock.monotonic();
      for (const [name, radio] of radios) {
        if (radio.state().status === 'ready') this.#downSince.delete(name);
        else if (!this.#downSince.has(name)) this.#downSince.set(name, nowMs);
        const downMs = nowMs - (this.#downSince.get(name) ?? nowMs);
        if (settings.radioFailover !== true) continue;
        if (downMs >= PATIENCE_MS) this.#move(radio);
        else if (radio.state().status === 'ready') this.#takeBack(radio);
      }
    } catch (error) {
      logger.error('Waiting messages could not be moved to another radio', { error: errorText(error) });
    }
    this.#schedule();
  }

  #move(radio: RadioPort): void {
    const { store } = this.#options;
    const moves = store.outbox.queued(radioLane(radio.name), ROWS_AT_ONCE).flatMap(({ rowId, payload }) => {
      const { to, channel } = payload as unknown as RadioDelivery;
      const target = to === BROADCAST ? this.#standIn(radio, channel) : null;
      return target === null ? [] : [{ rowId, target }];
    });
    this.#moveRows(moves, radio.name);
  }

  #takeBack(radio: RadioPort): void {
    const { store, radios, isUndecided } = this.#options;
    for (const standIn of radios.keys()) {
      if (standIn === radio.name) continue;
      const moves = store.outbox.queued(radioLane(standIn), ROWS_AT_ONCE).flatMap((row) => {
        const home = this.#home(row);
        return home?.radio !== radio.name || isUndecided(row) ? [] : [{ rowId: row.rowId, target: home }];
      });
      this.#moveRows(moves, standIn);
    }
  }

  /** Where its room belongs; null for what came from no room. */
  #home({ payload }: OutboxRow): RadioChannelRef | null {
    const { source } = payload as unknown as RadioDelivery;
    return this.#options.settings.routes.find(({ room }) => room === source?.room) ?? null;
  }

  #moveRows(moves: readonly Move[], from: string): void {
    const { store, logger, wakeLanes } = this.#options;
    if (moves.length === 0) return;
    store.transaction(() => {
      for (const { rowId, target } of moves) this.#moveRow(rowId, target);
    });
    const to = new Set(moves.map(({ target }) => target.radio));
    logger.warn('Messages go out through another radio', { from, to: [...to], messages: moves.length });
    wakeLanes(new Set([...to].map(radioLane)));
  }

  #moveRow(rowId: number, target: RadioChannelRef): void {
    const { store, radios, clock } = this.#options;
    const radio = radios.get(target.radio);
    // Read anew: a row that moved before it may be what it answers.
    const row = store.outbox.get(rowId);
    if (radio === undefined || row === null) return;
    const packetId = radio.newPacketId();
    const payload: JsonObject = { ...row.payload, channel: target.channel };
    store.outbox.update(rowId, { lane: radioLane(target.radio), packetId, payload, nextAttemptAtMs: 0 });
    renumberPacket(row, { packetId, radio }, { store, atMs: clock.now() });
  }

  /** The first radio of the configuration that is up and has this channel. */
  #standIn(radio: RadioPort, channel: number): RadioChannelRef | null {
    const { radios, known } = this.#options;
    const info = known.info(radio.name);
    if (info === null) return null;
    for (const [name, other] of radios) {
      const otherInfo = other === radio || other.state().status !== 'ready' ? null : other.info();
      const index = otherInfo === null ? null : sameChannel(info, channel, otherInfo);
      if (index !== null) return { radio: name, channel: index };
    }
    return null;
  }
}
