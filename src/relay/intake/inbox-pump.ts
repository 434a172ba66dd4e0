import type { Logger } from '../../util/logger.ts';
import { nodeId } from '../../util/node-id.ts';
import { errorText, RelayError } from '../../util/relay-error.ts';
import type { IntentWriterOptions } from '../intent-writer.ts';
import { type IntentOrigin, writeIntents } from '../intent-writer.ts';
import type { RoomEvent } from '../ports.ts';
import { meshToRooms } from '../rules/mesh-to-room.ts';
import { roomToMesh } from '../rules/room-to-mesh.ts';
import { drop, type Intent, type WorldView } from '../rules/view.ts';
import type { RelaySettings } from '../settings.ts';
import type { InboxRow } from '../store-port.ts';
import { type WithdrawOptions, withdraw } from './withdraw.ts';

export interface InboxPumpOptions extends IntentWriterOptions, WithdrawOptions {
  readonly logger: Logger;
  /** Until there is work, or this much time has passed. */
  readonly wait: (maxMs: number) => Promise<void>;
  readonly view: () => WorldView;
  /** A plugin may take a message for itself; resolves within the claim deadline. */
  readonly claim: (row: InboxRow, view: WorldView) => Promise<boolean>;
  /** Intents of the teller for what the sender is to know. Runs inside the transaction. */
  readonly tell: (intent: Extract<Intent, { kind: 'tell' }>) => void;
  /** Takes a token of the sender; false when they have none left. */
  readonly mayTransmit: (event: RoomEvent, settings: RelaySettings) => boolean;
  /** A row that no rule could decide on was set aside. Runs inside the transaction. */
  readonly onParked: (row: InboxRow, view: WorldView) => void;
  readonly onDrop: (row: InboxRow, reason: string) => void;
  readonly wakeLanes: (lanes: ReadonlySet<string>) => void;
  /** Rows that cannot be decided yet: their room may be one behind an alias that is not resolved, their radio unknown. */
  readonly mustWait: (row: InboxRow, view: WorldView) => boolean;
}

const NO_LANES: ReadonlySet<string> = new Set();
const BATCH_ROWS = 200;
/** Rows that wait for an alias or a radio are looked at again this often, whatever happens. */
const HELD_RECHECK_MS = 60_000;

/**
 * Turns inbox rows into outbox rows, in the order they came. One per engine; holds a count of rows that wait, and what
 * was decided in a try that failed. Invariant: a row is marked done in the same transaction that writes what it leads to,
 * so a crash repeats the decision, never its effect.
 */
export class InboxPump {
  readonly #options: InboxPumpOptions;
  #held = 0;
  /** Tokens taken for rows of a transaction that failed: the next try must not pay again. */
  readonly #verdicts = new Map<number, boolean>();
  readonly #claims = new Map<number, boolean>();

  constructor(options: InboxPumpOptions) {
    this.#options = options;
  }

  /** One round; sleeps until there is work. */
  async step(): Promise<void> {
    const { store, wait, view, mustWait } = this.#options;
    const world = view();
    // Rows that wait must not hide those behind them.
    const maxRows = BATCH_ROWS + this.#held;
    const pending = store.inbox.pending(maxRows);
    const rows = pending.filter((row) => !mustWait(row, world));
    this.#held = pending.length - rows.length;
    if (rows.length === 0) {
      if (pending.length < maxRows) await wait(HELD_RECHECK_MS);
      return;
    }
    const claimed = new Set<number>();
    for (const row of rows) {
      // Heard by a second radio of ours: plugins had their say at the first.
      const isAgain = row.item.kind === 'mesh' && row.item.again === true;
      if (!isAgain && (await this.#claim(row, world))) claimed.add(row.rowId);
    }
    const lanes = store.transaction(() => this.#decide(rows, claimed));
    this.#verdicts.clear();
    this.#claims.clear();
    this.#options.wakeLanes(lanes);
  }

  /** Each plugin hears of a message once, however often the transaction fails. */
  async #claim(row: InboxRow, world: WorldView): Promise<boolean> {
    const known = this.#claims.get(row.rowId);
    if (known !== undefined) return known;
    const isClaimed = await this.#options.claim(row, world);
    this.#claims.set(row.rowId, isClaimed);
    return isClaimed;
  }

  #decide(rows: readonly InboxRow[], claimed: ReadonlySet<number>): ReadonlySet<string> {
    const { store } = this.#options;
    const lanes = new Set<string>();
    for (const row of rows) {
      // A fresh view for each row: the one before it may have written the link that this one needs.
      const world = this.#options.view();
      const result = claimed.has(row.rowId) ? NO_LANES : this.#applyGuarded(row, world);
      if (result !== 'parked') store.inbox.markDone(row.rowId);
      if (result !== 'parked') for (const lane of result) lanes.add(lane);
    }
    return lanes;
  }

  /** A row that a rule of ours stumbles over must not stop the relay, now and after each restart. */
  #applyGuarded(row: InboxRow, world: WorldView): ReadonlySet<string> | 'parked' {
    const { store, logger, onParked, onDrop } = this.#options;
    try {
      return store.transaction(() => this.#apply(row, world));
    } catch (error) {
      if (error instanceof RelayError) throw error;
      const stack = error instanceof Error ? error.stack : String(error);
      logger.error('A message could not be decided on; this is a bug', { row: row.rowId, error: stack });
      store.inbox.park(row.rowId, errorText(error));
      onParked(row, world);
      onDrop(row, 'internal error');
      return 'parked';
    }
  }

  #apply(row: InboxRow, world: WorldView): ReadonlySet<string> {
    const { item } = row;
    const intents =
      item.kind === 'mesh' ? meshToRooms(item.radio, item.packet, world) : this.#fromRoom(row.rowId, item.event, world);
    for (const intent of intents) {
      if (intent.kind === 'tell') this.#options.tell(intent);
      if (intent.kind === 'drop') this.#options.onDrop(row, intent.reason);
    }
    return writeIntents(intents, originOf(row, world), { ...this.#options, settings: world.settings });
  }

  #fromRoom(rowId: number, event: RoomEvent, world: WorldView): readonly Intent[] {
    if (withdraw(event, this.#options)) return drop('removed before it was sent');
    const intents = roomToMesh(event, world);
    const sends = intents.find((intent) => intent.kind === 'to-radio');
    if (sends === undefined) return intents;
    const verdict = this.#verdicts.get(rowId) ?? this.#options.mayTransmit(event, world.settings);
    this.#verdicts.set(rowId, verdict);
    if (verdict) return intents;
    const source = sends.deliveries[0]?.source;
    if (source === null || source === undefined) return intents;
    const text = 'Not sent: too many messages at once; wait a moment before the next one.';
    return [{ kind: 'tell', room: source.room, eventId: event.eventId, sender: event.sender, reason: 'rate', text }];
  }
}

function originOf({ item, receivedAtMs }: InboxRow, world: WorldView): IntentOrigin {
  const meshnet = (radio: string): string | null => world.settings.radios.get(radio)?.meshnetName ?? null;
  if (item.kind === 'mesh')
    return { origin: `packet:${nodeId(item.packet.from)}/${item.packet.id}`, atMs: receivedAtMs, meshnet };
  return { origin: `event:${item.event.roomId}/${item.event.eventId}`, atMs: item.event.timestampMs, meshnet };
}
