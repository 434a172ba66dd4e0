import type { MatrixSink, MatrixState, RoomEvent, SyncBatch } from '../../../src/relay/ports.ts';

/** Takes batches as a store would; can refuse; lets a test wait for a condition without polling. */
export class RecordingSink implements MatrixSink {
  readonly batches: SyncBatch[] = [];
  readonly states: MatrixState[] = [];
  readonly learned: RoomEvent[] = [];
  /** Thrown by the next calls of onSync, one each. */
  refusals: Error[] = [];
  offered = 0;
  /** Rooms by the alias that stands for them now. */
  readonly moved = new Map<string, string>();
  #waiting: (() => void)[] = [];

  onState(state: MatrixState): void {
    this.states.push(state);
    this.wake();
  }

  onSync(batch: SyncBatch): void {
    this.offered += 1;
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    this.batches.push(batch);
    this.wake();
  }

  onLearned(event: RoomEvent): void {
    this.learned.push(event);
    this.wake();
  }

  onRoomMoved(alias: string, roomId: string): void {
    this.moved.set(alias, roomId);
    this.wake();
  }

  token(): string {
    return this.batches.at(-1)?.nextToken ?? '';
  }

  events(roomId?: string): RoomEvent[] {
    return this.batches
      .flatMap((batch) => batch.events)
      .filter((event) => roomId === undefined || event.roomId === roomId);
  }

  /** Bodies of messages that are news. */
  bodies(roomId: string): string[] {
    return this.batches
      .filter((batch) => !batch.initial)
      .flatMap((batch) => batch.events)
      .filter((event) => event.roomId === roomId && event.type === 'm.room.message')
      .map((event) => String(event.content.body));
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
