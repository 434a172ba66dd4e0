import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { OutboxRow, OutboxState } from '../../src/relay/store-port.ts';
import type { Store } from '../../src/store/open-store.ts';
import { open, scratch } from './fixtures.ts';
import { outboxRow } from './fixtures-plain.ts';

interface ModelRow {
  readonly rowId: number;
  readonly lane: string;
  readonly priority: number;
  readonly groupId: string | null;
  state: OutboxState;
  /** It was sent or done at some time. */
  begun: boolean;
}

const lane = fc.constantFrom('room:x', 'radio:a');
const command = fc.oneof(
  fc.record({
    do: fc.constant('add' as const),
    lane,
    priority: fc.integer({ min: 0, max: 3 }),
    groupId: fc.option(fc.constantFrom('g', 'h')),
  }),
  fc.record({
    do: fc.constant('state' as const),
    pick: fc.nat(),
    state: fc.constantFrom<OutboxState>('queued', 'sent', 'done', 'failed', 'expired'),
  }),
  fc.record({ do: fc.constant('undo' as const), pick: fc.nat() }),
  fc.record({ do: fc.constant('reopen' as const) }),
);

/** The order by its definition, in the slowest way. */
function leaving(rows: readonly ModelRow[], of: string): readonly number[] {
  const mates = (row: ModelRow): readonly ModelRow[] =>
    row.groupId === null ? [row] : rows.filter((other) => other.lane === of && other.groupId === row.groupId);
  const rank = (row: ModelRow): readonly number[] => {
    const first = mates(row)[0] ?? row;
    const begun = row.groupId !== null && mates(row).some((mate) => mate.begun);
    return [begun ? 0 : 1, first.priority, first.rowId, row.rowId];
  };
  const compare = (a: readonly number[], b: readonly number[]): number =>
    a.map((value, index) => value - (b[index] ?? 0)).find((difference) => difference !== 0) ?? 0;
  return rows
    .filter((row) => row.lane === of && row.state === 'queued')
    .toSorted((a, b) => compare(rank(a), rank(b)))
    .map((row) => row.rowId);
}

function check(store: Store, model: readonly ModelRow[]): void {
  for (const of of ['room:x', 'radio:a']) {
    const expected = leaving(model, of);
    const ids = (rows: readonly OutboxRow[]): readonly number[] => rows.map((row) => row.rowId);
    expect(ids(store.outbox.queued(of, 1000))).toEqual(expected);
    expect(store.outbox.head(of)?.rowId).toBe(expected[0]);
    const sent = model.filter((row) => row.lane === of && row.state === 'sent');
    expect(ids(store.outbox.sent(of))).toEqual(sent.map((row) => row.rowId));
    const depth = store.outbox.depths().find((entry) => entry.lane === of);
    expect([depth?.queued ?? 0, depth?.sent ?? 0]).toEqual([expected.length, sent.length]);
  }
}

test('any sequence of operations, with reopenings, agrees with a simple model', () => {
  const folder = scratch();
  let run = 0;
  fc.assert(
    fc.property(fc.array(command, { maxLength: 30 }), (commands) => {
      run += 1;
      const path = join(folder, `${run}.sqlite`);
      const pragmas = { synchronous: 'OFF' };
      let store = open({ path, pragmas });
      const model: ModelRow[] = [];
      for (const step of commands) {
        const row = 'pick' in step && model.length > 0 ? model[step.pick % model.length] : undefined;
        if (step.do === 'add') {
          const { lane: of, priority, groupId } = step;
          const rowId = store.outbox.add(outboxRow({ lane: of, priority, groupId }));
          model.push({ rowId, lane: of, priority, groupId, state: 'queued', begun: false });
        } else if (step.do === 'state' && row !== undefined) {
          store.outbox.update(row.rowId, { state: step.state });
          row.state = step.state;
          row.begun ||= step.state === 'sent' || step.state === 'done';
        } else if (step.do === 'undo' && row !== undefined) {
          const undone = (): void =>
            store.transaction(() => {
              store.outbox.update(row.rowId, { state: 'sent' });
              store.outbox.add(outboxRow());
              throw new Error('undone');
            });
          expect(undone).toThrow('undone');
        } else if (step.do === 'reopen') {
          store.close();
          store = open({ path, pragmas });
        }
        check(store, model);
      }
      store.close();
    }),
    { numRuns: 60 },
  );
});
