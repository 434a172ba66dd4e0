import { join } from 'node:path';
import SqliteModule from 'better-sqlite3';
import { expect, test } from 'vitest';
import { open, scratch } from './fixtures.ts';

const WHERE: Readonly<Record<string, string>> = {
  outbox_queue: "WHERE lane = ? AND state = 'queued' ORDER BY waits, turn_priority, turn_row_id, row_id LIMIT 1",
  outbox_sent: "WHERE lane = ? AND state = 'sent' ORDER BY row_id",
  outbox_packet: "WHERE lane = ? AND packet_id = ? AND packet_id IS NOT NULL AND state IN ('queued', 'sent')",
  outbox_expiry: "WHERE state = 'queued' AND expires_at_ms <= ?",
  outbox_finished: "WHERE state IN ('done', 'failed', 'expired') AND finished_at_ms < ?",
};

test.each(Object.entries(WHERE))('%s answers its query without a scan or a sort', (index, where) => {
  const path = join(scratch(), 'db.sqlite');
  const store = open({ path });
  const raw = new SqliteModule(path);
  const values = Array.from(where.matchAll(/\?/g), () => 1);
  const plan = raw
    .prepare<number[], { detail: string }>(`EXPLAIN QUERY PLAN SELECT * FROM outbox ${where}`)
    .all(...values);
  expect(plan.map((step) => step.detail).join('; ')).toMatch(new RegExp(`^SEARCH outbox USING INDEX ${index} [^;]*$`));
  raw.close();
  store.close();
});

test('the heads of all streams of a lane are found without reading rows', () => {
  const path = join(scratch(), 'db.sqlite');
  const store = open({ path });
  const raw = new SqliteModule(path);
  const sql = `SELECT MIN(row_id) FROM outbox WHERE lane = ? AND state = 'queued'
    GROUP BY substr(origin, 1, instr(origin || '/', '/') - 1)`;
  const plan = raw.prepare<string[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql}`).all('radio:a');
  expect(plan.map((step) => step.detail)).toEqual([expect.stringMatching(/USING (COVERING )?INDEX outbox_streams/)]);
  raw.close();
  store.close();
});
