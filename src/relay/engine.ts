import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { Waker } from '../util/waker.ts';
import { radioLane, roomLane } from './delivery.ts';
import { guardedLoop } from './guarded-loop.ts';
import { InboxPump } from './inbox-pump.ts';
import { linkPacket, writeIntents } from './intent-writer.ts';
import { Maintenance } from './maintenance.ts';
import type { RelayObserver } from './observer.ts';
import type { MatrixPort, MatrixSink, RadioPort, RadioSink, SyncBatch } from './ports.ts';
import { RadioLane } from './radio-lane.ts';
import { newsOf } from './room-history.ts';
import { type AccountGate, RoomLane } from './room-lane.ts';
import { RoomNames } from './room-names.ts';
import { isRelayable } from './rules/room-to-mesh.ts';
import type { Intent, WorldView } from './rules/view.ts';
import type { RelaySettings } from './settings.ts';
import type { InboxRow, StorePort } from './store-port.ts';
import { Teller } from './teller.ts';
import { viewWorld } from './world.ts';

export interface EngineOptions {
  readonly store: StorePort;
  readonly matrix: MatrixPort;
  readonly radios: ReadonlyMap<string, RadioPort>;
  readonly settings: RelaySettings;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly observer: RelayObserver;
  /** A plugin may take a message for itself. */
  readonly claim: (row: InboxRow, view: WorldView) => Promise<boolean>;
  /** Time on air of one full packet on this radio. */
  readonly airtimeMs: (radio: string) => number;
  /** A failure that no waiting mends. */
  readonly onFatal: (error: unknown) => void;
}

const TOKEN_KEY = 'sync_token';
const INSTALL_KEY = 'install_id';

/**
 * Joins the two sides. One per daemon. Holds the lanes and the pump; messages are in the store.
 * Invariant: whatever a side hands over is on disk when the callback returns, before anything else happens to it.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #abort = new AbortController();
  readonly #inbox: Waker;
  readonly #names: RoomNames;
  readonly #teller: Teller;
  readonly #maintenance: Maintenance;
  readonly #rooms = new Map<string, RoomLane>();
  readonly #radios = new Map<string, RadioLane>();
  readonly #tooOld = new Map<string, number>();
  #pumping: Promise<void> = Promise.resolve();

  constructor(options: EngineOptions) {
    this.#options = options;
    this.#inbox = new Waker(options.clock);
    this.#names = new RoomNames({ ...options, onResolved: () => this.#inbox.wake() });
    this.#teller = new Teller({
      ...options,
      mode: () => options.settings.deliveryStatus,
      roomMaxAgeMs: () => options.settings.roomMaxAgeMs,
      wakeLanes: (lanes) => this.#wake(lanes),
    });
    this.#maintenance = new Maintenance(options);
    const installId = installIdOf(options);
    const gate: AccountGate = { notBeforeMs: 0 };
    for (const route of options.settings.routes)
      this.#rooms.set(roomLane(route.room), this.#roomLane(route.room, { installId, gate }));
    for (const [name, radio] of options.radios) this.#radios.set(radioLane(name), this.#radioLane(radio));
  }

  /** Starts both sides; each comes up when it can. */
  start(): void {
    const { matrix, radios, store, clock, logger, onFatal } = this.#options;
    const pump = this.#pump();
    const loop = { name: 'inbox', clock, logger, signal: this.#abort.signal, onFatal };
    this.#pumping = guardedLoop(loop, () => pump.step());
    for (const lane of [...this.#rooms.values(), ...this.#radios.values()]) lane.start();
    this.#maintenance.start();
    matrix.start(this.#matrixSink(), store.values.get(TOKEN_KEY));
    this.#names.start();
    for (const radio of radios.values()) radio.start(this.#radioSink(radio));
  }

  /** Stops taking, then the lanes; what is not delivered stays in the outbox. */
  async stop(): Promise<void> {
    const { matrix, radios } = this.#options;
    this.#names.stop();
    this.#maintenance.stop();
    await Promise.all([matrix.stop(), ...[...radios.values()].map((radio) => radio.stop())]);
    this.#abort.abort();
    this.#inbox.wake();
    await Promise.all([
      this.#pumping,
      ...[...this.#rooms.values(), ...this.#radios.values()].map((lane) => lane.stop()),
    ]);
  }

  /**
   * Puts what a plugin or a command wants to say into the outbox: the one road to the other side, with its guards,
   * order and pacing. On disk when it returns. @throws RelayError STORE_*
   */
  submit(intents: readonly Intent[], origin: string): void {
    const { store, clock, settings } = this.#options;
    const meshnet = (radio: string): string | null => settings.radios.get(radio)?.meshnetName ?? null;
    const from = { origin, atMs: clock.now(), meshnet };
    this.#wake(store.transaction(() => writeIntents(intents, from, { ...this.#options, settings })));
  }

  /** Rooms that take nothing at the moment, with the reason. */
  blockedRooms(): ReadonlyMap<string, string> {
    const blocked = new Map(this.#names.waiting());
    for (const [lane, room] of this.#rooms) {
      const reason = room.blocked();
      if (reason !== null) blocked.set(lane.slice('room:'.length), reason);
    }
    return blocked;
  }

  /** The world as the rules see it at this moment. */
  view(): WorldView {
    return viewWorld(this.#options.settings, { ...this.#options, roomId: (room) => this.#names.roomId(room) });
  }

  #pump(): InboxPump {
    const { claim, observer } = this.#options;
    return new InboxPump({
      ...this.#options,
      waker: this.#inbox,
      view: () => this.view(),
      claim,
      tell: (intent) => this.#teller.tell(intent),
      onDrop: (row, reason) => {
        observer.onDropped(row, reason);
        if (reason === 'too old' && row.item.kind === 'room') this.#countTooOld(row.item.event.roomId);
      },
      wakeLanes: (lanes) => this.#wake(lanes),
      mustWait: ({ item }, view) =>
        item.kind === 'room' &&
        this.#names.unresolved() &&
        !this.#names.isMapped(item.event.roomId) &&
        view.nowMs - item.event.timestampMs < view.settings.maxAgeMs,
    });
  }

  #countTooOld(roomId: string): void {
    const { clock, settings, store } = this.#options;
    const room = settings.routes.find((route) => this.#names.roomId(route.room) === roomId)?.room;
    if (room === undefined) return;
    const before = this.#tooOld.get(room) ?? 0;
    this.#tooOld.set(room, before + 1);
    if (before > 0) return;
    // A catch-up comes in many rows: say it once, when it is through.
    clock.after(
      TOO_OLD_QUIET_MS,
      () => {
        const count = this.#tooOld.get(room) ?? 0;
        this.#tooOld.delete(room);
        if (!this.#abort.signal.aborted) store.transaction(() => this.#teller.onTooOld(room, count));
      },
      { background: true },
    );
  }

  #matrixSink(): MatrixSink {
    const { observer } = this.#options;
    return {
      onState: (state) => {
        observer.onMatrixState(state);
        if (state.status !== 'syncing') return;
        this.#names.onMatrixUp();
        for (const lane of this.#rooms.values()) lane.onMatrixUp();
      },
      onSync: (batch) => this.#storeBatch(batch),
      onDecrypted: (event) => this.#storeBatch({ events: [event], nextToken: '', initial: false, gaps: [] }),
    };
  }

  #storeBatch(batch: SyncBatch): void {
    const { store, matrix, clock, observer } = this.#options;
    const ownUser = matrix.userId();
    store.transaction(() => {
      for (const event of newsOf(batch, ownUser, store.values)) {
        if (event.sender === ownUser || event.undecryptable !== null || !isRelayable(event)) continue;
        if (store.inbox.addEvent(event, clock.now()) !== null) observer.onRoomEvent(event);
      }
      if (batch.nextToken !== '') store.values.set(TOKEN_KEY, batch.nextToken);
    });
    this.#inbox.wake();
  }

  #radioSink(radio: RadioPort): RadioSink {
    const { store, clock, observer } = this.#options;
    const lane = this.#radios.get(radioLane(radio.name));
    return {
      onState: (state) => {
        observer.onRadioState(radio.name, state);
        lane?.onLinkChange();
      },
      onInfo: (info) => observer.onRadioInfo(radio.name, info),
      onNode: (node) =>
        store.names.put(node.num, { longName: node.longName, shortName: node.shortName, lastSeenMs: clock.now() }),
      onPacket: (packet) => {
        const rowId = store.transaction(() => store.inbox.addPacket(radio.name, packet, clock.now()));
        observer.onPacket(radio.name, packet, rowId === null);
        if (rowId !== null) this.#inbox.wake();
      },
      onQueueStatus: (status) => lane?.onQueueStatus(status),
      onRouting: (result) => lane?.onRouting(result),
      onNotification: (notification) => observer.onNotification(radio.name, notification),
    };
  }

  #roomLane(room: string, shared: { readonly installId: string; readonly gate: AccountGate }): RoomLane {
    const { observer } = this.#options;
    return new RoomLane({
      ...this.#options,
      ...shared,
      lane: roomLane(room),
      room,
      onOutcome: (row, delivery, outcome) => observer.onRoomOutcome(row, delivery, outcome),
    });
  }

  #radioLane(radio: RadioPort): RadioLane {
    const { settings, store, clock, observer, airtimeMs } = this.#options;
    return new RadioLane({
      ...this.#options,
      lane: radioLane(radio.name),
      radio,
      gapMs: settings.radios.get(radio.name)?.messageDelayMs ?? 0,
      airtimeMs: () => airtimeMs(radio.name),
      onOutcome: (row, delivery, outcome) => {
        this.#teller.onRadioOutcome(row, delivery, outcome);
        observer.onRadioOutcome(row, delivery, outcome);
      },
      onNewPacketId: (_row, delivery, packetId) => {
        const sender = radio.info()?.nodeNum ?? 0;
        const meshnet = settings.radios.get(radio.name)?.meshnetName ?? null;
        linkPacket(store, delivery, {
          radio: radio.name,
          sender,
          packetId,
          text: delivery.text,
          meshnet,
          atMs: clock.now(),
        });
      },
    });
  }

  #wake(lanes: ReadonlySet<string>): void {
    for (const lane of lanes) (this.#rooms.get(lane) ?? this.#radios.get(lane))?.wake();
  }
}

const TOO_OLD_QUIET_MS = 5_000;

/** Eight hex digits drawn once per database. */
function installIdOf({ store, random }: EngineOptions): string {
  const known = store.values.get(INSTALL_KEY);
  if (known !== null) return known;
  const fresh = Math.floor(random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');
  store.values.set(INSTALL_KEY, fresh);
  return fresh;
}
