import type { OutboxRow } from '../store-port.ts';

/**
 * Which row of a radio's lane leaves next: the rest of a text that has begun; else the best priority; among equals the
 * sender's room that was served longest ago. Within one room nothing overtakes, whatever its priority.
 * One per radio lane. Holds who was served when; forgetting it (a restart) costs fairness once, not order: which text
 * has begun is in the rows too.
 */
export class LaneOrder {
  #served = new Map<string, number>();
  #turn = 0;
  #openGroup: string | null = null;

  next(rows: readonly OutboxRow[]): OutboxRow | null {
    const begun = rows.find((row) => this.isOpen(row)) ?? rows.find((row) => row.begun);
    if (begun !== undefined) return begun;
    const heads = new Map<string, OutboxRow>();
    for (const row of rows.toSorted((a, b) => a.rowId - b.rowId)) {
      const stream = streamOf(row);
      if (!heads.has(stream)) heads.set(stream, row);
    }
    const best = [...heads].sort(
      ([streamA, a], [streamB, b]) =>
        a.priority - b.priority || this.#turnOf(streamA) - this.#turnOf(streamB) || a.rowId - b.rowId,
    )[0];
    return best?.[1] ?? null;
  }

  /** The row has left (or failed for good): its stream goes to the end of the line. */
  leave(row: OutboxRow): void {
    this.#turn += 1;
    this.#served.delete(streamOf(row));
    this.#served.set(streamOf(row), this.#turn);
    this.#openGroup = row.groupId;
    const oldest = this.#served.keys().next();
    if (this.#served.size > 1_000 && !oldest.done) this.#served.delete(oldest.value);
  }

  /** The row continues a text whose first part has left. */
  isOpen(row: OutboxRow | null): boolean {
    return row !== null && row.groupId !== null && row.groupId === this.#openGroup;
  }

  #turnOf(stream: string): number {
    return this.#served.get(stream) ?? 0;
  }
}

/** Rows of one Matrix room, or of one plugin, keep their order. */
function streamOf(row: OutboxRow): string {
  const source = row.payload.source;
  const room = typeof source === 'object' && source !== null && !Array.isArray(source) ? source : null;
  return room !== null && 'roomId' in room ? String(room.roomId) : (row.origin.split('/')[0] ?? row.origin);
}
