import type { Clock } from '../util/clock.ts';
import type { Logger } from '../util/logger.ts';
import { BROADCAST } from '../util/node-id.ts';
import { ClockSteps } from './clock-steps.ts';
import { parseDirectRoom, type RadioDelivery, radioLane, roomLane } from './delivery.ts';
import { DirectRooms } from './direct-rooms.ts';
import { GuardedLoop } from './guarded-loop.ts';
import { installIdOf } from './install-id.ts';
import { EventIntake } from './intake/event-intake.ts';
import { InboxPump } from './intake/inbox-pump.ts';
import { PacketIntake } from './intake/packet-intake.ts';
import { UnreadEvents } from './intake/unread-events.ts';
import { UserRateLimiter } from './intake/user-rate.ts';
import { writeIntents } from './intent-writer.ts';
import type { AirUse } from './lanes/air-budget.ts';
import { RadioFailover } from './lanes/failover.ts';
import { expireOrphans } from './lanes/orphans.ts';
import { RadioLane, type RadioOutcome } from './lanes/radio-lane.ts';
import { noteBoots, onRestart } from './lanes/restarts.ts';
import { RoomLanes } from './lanes/room-lanes.ts';
import { Maintenance } from './maintenance.ts';
import type { RelayObserver } from './observer.ts';
import type { GuestPacket, MatrixPort, MatrixSink, MeshNode, RadioPort, RadioSink } from './ports.ts';
import { RoomNames } from './room-names.ts';
import type { Intent, WorldView } from './rules/view.ts';
import type { RelaySettings } from './settings.ts';
import type { InboxRow, OutboxRow, StorePort } from './store-port.ts';
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
  /** A failure that no waiting mends. */
  readonly onFatal: (error: unknown) => void;
}

const NAME_FRESH_MS = 3_600_000;
/** Every call to the outside ends by itself, after two minutes at the latest: who needs longer than this never ends. */
const STUCK_MS = 600_000;

/**
 * Joins the two sides. One per daemon. Holds the lanes and the pump; messages are in the store.
 * Invariant: whatever a side hands over is on disk when the callback returns, before anything else happens to it.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #inbox: GuardedLoop;
  readonly #names: RoomNames;
  readonly #teller: Teller;
  readonly #clockSteps: ClockSteps;
  readonly #maintenance: Maintenance;
  readonly #failover: RadioFailover;
  readonly #packets: PacketIntake;
  readonly #unread: UnreadEvents;
  readonly #events: EventIntake;
  readonly #direct: DirectRooms;
  readonly #rooms: RoomLanes;
  readonly #radios = new Map<string, RadioLane>();
  readonly #rates = new UserRateLimiter();

  constructor(options: EngineOptions) {
    this.#options = options;
    const pump = this.#pump();
    this.#inbox = new GuardedLoop({ ...options, name: 'inbox', step: () => pump.step() });
    this.#names = new RoomNames({ ...options, onResolved: () => this.#inbox.wake() });
    this.#teller = new Teller({
      ...options,
      mode: () => options.settings.deliveryStatus,
      roomMaxAgeMs: () => options.settings.roomMaxAgeMs,
      wakeLanes: (lanes) => this.#wake(lanes),
    });
    this.#clockSteps = new ClockSteps(options);
    this.#maintenance = new Maintenance({ ...options, expireOrphans: () => this.#expireOrphans() });
    const onOverheard = (radio: string, packetId: number): void =>
      this.#radios.get(radioLane(radio))?.onOverheard(packetId);
    this.#packets = new PacketIntake({ ...options, onOverheard });
    this.#failover = new RadioFailover({
      ...options,
      known: this.#packets.known,
      wakeLanes: (lanes) => this.#wake(lanes),
      isUndecided: (row) => this.#isUndecided(row),
    });
    this.#unread = new UnreadEvents({
      ...options,
      maxAgeMs: () => options.settings.maxAgeMs,
      teller: this.#teller,
      routeRoom: (roomId) => this.#names.routeOf(roomId)?.room,
    });
    this.#events = new EventIntake({ ...options, unread: this.#unread, onGap: (roomId) => this.#tellGap(roomId) });
    this.#direct = new DirectRooms({ ...options, settings: () => options.settings });
    this.#rooms = this.#roomLanes();
    for (const [name, radio] of options.radios) this.#radios.set(radioLane(name), this.#radioLane(radio));
  }

  /** Starts both sides; each comes up when it can. */
  start(): void {
    const { matrix, radios } = this.#options;
    this.#inbox.start();
    this.#rooms.start(this.#options.settings.routes.map(({ room }) => room));
    for (const lane of this.#radios.values()) lane.start();
    this.#maintenance.start();
    this.#teller.start();
    matrix.awaitKeys?.(this.#unread.load());
    matrix.start(this.#matrixSink(), this.#events.syncToken());
    this.#names.start();
    for (const radio of radios.values()) radio.start(this.#radioSink(radio));
    this.#failover.start();
  }

  /** The settings were replaced (they are read anew for each message): rooms that are new are joined and served. */
  followSettings(): void {
    this.#names.follow();
    this.#wake(new Set(this.#options.settings.routes.map(({ room }) => roomLane(room))));
    this.#inbox.wake();
  }

  /** Stops taking, then the lanes; what is not delivered stays in the outbox. */
  async stop(): Promise<void> {
    const { matrix, radios } = this.#options;
    this.#names.stop();
    this.#maintenance.stop();
    this.#failover.stop();
    this.#teller.stop();
    this.#unread.stop();
    await Promise.all([matrix.stop(), ...[...radios.values()].map((radio) => radio.stop())]);
    await Promise.all([
      this.#inbox.stop(),
      this.#rooms.stop(),
      ...[...this.#radios.values()].map((lane) => lane.stop()),
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

  /** Takes a packet of somebody who shares this radio; false when too many of theirs wait. */
  offerGuest(radio: string, packet: GuestPacket): boolean {
    return this.#radios.get(radioLane(radio))?.offerGuest(packet) ?? false;
  }

  /** Rooms that take nothing at the moment, with the reason; what still waits for one taken out is nobody's trouble. */
  blockedRooms(): ReadonlyMap<string, string> {
    const mapped = new Set(this.#options.settings.routes.map(({ room }) => room));
    const blocked = [...this.#rooms.blocked()].filter(([room]) => mapped.has(room) || parseDirectRoom(room) !== null);
    return new Map([...this.#names.waiting(), ...blocked]);
  }

  /** Lanes, or `inbox`, that have owed their next step for so long that only a restart helps. */
  stuckLoops(): readonly string[] {
    const { status, sinceMs } = this.#options.matrix.state();
    // Of a homeserver that hangs, fifty rooms wait for fifty timeouts in a row: it must have been up for as long.
    const upMs = status === 'syncing' ? this.#options.clock.now() - sinceMs : 0;
    const rooms = [...this.#rooms.overdueMs()].map(([name, ms]) => [name, Math.min(ms, upMs)] as const);
    const radios = [...this.#radios].map(([name, lane]) => [name, lane.overdueMs()] as const);
    const loops = [['inbox', this.#inbox.overdueMs()] as const, ...rooms, ...radios];
    return loops.filter(([, overdueMs]) => overdueMs > STUCK_MS).map(([name]) => name);
  }

  /** What a radio has put on the air; null when there is none of that name. */
  air(radio: string): AirUse | null {
    return this.#radios.get(radioLane(radio))?.air() ?? null;
  }

  /** The world as the rules see it at this moment. */
  view(): WorldView {
    return viewWorld(this.#options.settings, {
      ...this.#options,
      routeOf: (roomId) => this.#names.routeOf(roomId),
      directTarget: (roomId) => this.#direct.target(roomId),
    });
  }

  #pump(): InboxPump {
    const { claim, observer } = this.#options;
    return new InboxPump({
      ...this.#options,
      wait: (maxMs) => this.#inbox.wait(maxMs),
      view: () => this.view(),
      claim,
      tell: (intent) => this.#teller.tell(intent),
      isUndecided: (row) => this.#isUndecided(row),
      onWithdrawn: (source) => this.#teller.onWithdrawn(source),
      mayTransmit: (event, { userRate }) =>
        // A server far away may date events as it likes: never later than now.
        this.#rates.take(event.sender, Math.min(event.timestampMs, this.#options.clock.now()), userRate),
      onParked: (row, view) => this.#teller.tellParked(row, view),
      onDrop: (row, reason) => {
        observer.onDropped(row, reason);
        if (reason === 'too old' && row.item.kind === 'room') this.#noteTooOld(row.item.event.roomId);
      },
      wakeLanes: (lanes) => this.#wake(lanes),
      mustWait: (row, view) => this.#mustWait(row, view),
    });
  }

  #isUndecided(row: OutboxRow): boolean {
    return this.#radios.get(row.lane)?.isUndecided(row) ?? false;
  }

  #mustWait({ item, receivedAtMs }: InboxRow, view: WorldView): boolean {
    if (item.kind === 'mesh') {
      // After a restart: whether it was meant for us, only the radio can say.
      const isUnknown = this.#options.radios.get(item.radio)?.info() === null;
      return isUnknown && item.packet.to !== BROADCAST && view.nowMs - receivedAtMs < view.settings.roomMaxAgeMs;
    }
    const { roomId, timestampMs } = item.event;
    if (!this.#names.unresolved() || this.#names.routeOf(roomId) !== undefined) return false;
    return view.directTarget(roomId) === null && view.nowMs - timestampMs < view.settings.maxAgeMs;
  }

  #noteTooOld(roomId: string): void {
    const route = this.#names.routeOf(roomId);
    if (route !== undefined) this.#teller.noteTooOld(route.room);
  }

  #matrixSink(): MatrixSink {
    const { observer } = this.#options;
    return {
      onState: (state) => {
        observer.onMatrixState(state);
        if (state.status !== 'syncing') return;
        this.#names.onMatrixUp();
        this.#rooms.onMatrixUp();
      },
      onSync: (batch) => {
        this.#events.add(batch);
        this.#inbox.wake();
      },
      onLearned: (event) => {
        this.#events.learn(event);
        this.#inbox.wake();
      },
      onRoomMoved: (alias, roomId) => this.#names.onMoved(alias, roomId),
    };
  }

  #tellGap(roomId: string): void {
    const route = this.#names.routeOf(roomId);
    if (route !== undefined) this.#teller.tellGap(route.room);
  }

  #noteNode(radio: string, node: MeshNode): void {
    const { store, clock } = this.#options;
    const { longName, shortName } = node;
    const known = store.names.get(node.num);
    // A radio repeats all its nodes at each connection, and each write costs a flash card a little of its life.
    const isKnown = known !== null && known.longName === longName && known.shortName === shortName;
    const isFresh = known !== null && Math.abs(clock.now() - known.lastSeenMs) < NAME_FRESH_MS;
    const intents = store.transaction(() => {
      if (!isKnown || !isFresh) store.names.put(node.num, { longName, shortName, lastSeenMs: clock.now() });
      return this.#direct.onNode(radio, node);
    });
    if (intents.length > 0) this.submit(intents, 'notice');
  }

  #radioSink(radio: RadioPort): RadioSink {
    const { store, observer } = this.#options;
    const lane = this.#radios.get(radioLane(radio.name));
    return {
      onState: (state) => {
        observer.onRadioState(radio.name, state);
        if (state.status === 'ready') this.#failover.onUp(radio);
        lane?.onLinkChange();
      },
      onInfo: (info) => {
        this.#packets.known.onInfo(radio.name, info);
        observer.onRadioInfo(radio.name, info);
        this.#inbox.wake();
        noteBoots(radio.name, info, store);
        lane?.wake();
      },
      onNode: (node) => this.#noteNode(radio.name, node),
      onPacket: (packet) => {
        const rowId = store.transaction(() => this.#packets.add(radio, packet));
        observer.onPacket(radio.name, packet, rowId === null);
        if (rowId !== null) this.#inbox.wake();
      },
      together: (work) => store.transaction(work),
      onQueueStatus: (status) => lane?.onQueueStatus(status),
      onRouting: (result) => lane?.onRouting(result),
      onRebooted: () => {
        onRestart(radio.name, store);
        lane?.wake();
      },
      onNotification: (notification) => {
        lane?.onNotification(notification);
        observer.onNotification(radio.name, notification);
      },
    };
  }

  #roomLanes(): RoomLanes {
    const { matrix, observer, store, random } = this.#options;
    return new RoomLanes({
      ...this.#options,
      installId: installIdOf(store.values, random),
      settleClock: () => this.#clockSteps.settle(),
      resolve: (room) => (parseDirectRoom(room) === null ? matrix.resolveRoom(room) : this.#direct.resolve(room)),
      onOutcome: (row, delivery, outcome) => {
        this.#teller.onRoomOutcome(row, delivery, outcome);
        observer.onRoomOutcome(row, delivery, outcome);
      },
    });
  }

  #radioLane(radio: RadioPort): RadioLane {
    const { settings } = this.#options;
    return new RadioLane({
      ...this.#options,
      lane: radioLane(radio.name),
      radio,
      gapMs: settings.radios.get(radio.name)?.messageDelayMs ?? 0,
      settleClock: () => this.#clockSteps.settle(),
      onOutcome: (...outcome) => this.#onRadioOutcome(...outcome),
    });
  }

  #onRadioOutcome(row: OutboxRow, delivery: RadioDelivery, outcome: RadioOutcome): void {
    this.#teller.onRadioOutcome(row, delivery, outcome);
    this.#options.observer.onRadioOutcome(row, delivery, outcome);
  }

  #expireOrphans(): void {
    const { store, clock } = this.#options;
    this.#clockSteps.settle();
    expireOrphans({
      store,
      nowMs: clock.now(),
      lanes: this.#radios,
      onOutcome: (...outcome) => this.#onRadioOutcome(...outcome),
    });
  }

  #wake(lanes: ReadonlySet<string>): void {
    for (const lane of lanes) {
      this.#rooms.wake(lane);
      this.#radios.get(lane)?.wake();
    }
  }
}
