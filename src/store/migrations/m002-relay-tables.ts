import type { Migration } from './migration.ts';

const INBOX = `
  CREATE TABLE inbox (
    row_id INTEGER PRIMARY KEY AUTOINCREMENT,
    dedup_key TEXT NOT NULL UNIQUE,
    received_at_ms INTEGER NOT NULL,
    payload TEXT
  ) STRICT;
  CREATE INDEX inbox_pending ON inbox (row_id) WHERE payload IS NOT NULL;
  CREATE INDEX inbox_done ON inbox (received_at_ms) WHERE payload IS NULL;
`;

const OUTBOX = `
  CREATE TABLE outbox (
    row_id INTEGER PRIMARY KEY AUTOINCREMENT,
    lane TEXT NOT NULL,
    priority INTEGER NOT NULL,
    created_at_ms INTEGER NOT NULL,
    expires_at_ms INTEGER NOT NULL,
    packet_id INTEGER,
    origin TEXT NOT NULL,
    group_id TEXT,
    payload TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'sent', 'done', 'failed', 'expired')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at_ms INTEGER NOT NULL DEFAULT 0,
    sent_at_ms INTEGER,
    finished_at_ms INTEGER,
    last_error TEXT,
    waits INTEGER NOT NULL,
    turn_priority INTEGER NOT NULL,
    turn_row_id INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX outbox_queue ON outbox (lane, waits, turn_priority, turn_row_id, row_id) WHERE state = 'queued';
  CREATE INDEX outbox_streams ON outbox (lane, substr(origin, 1, instr(origin || '/', '/') - 1), row_id)
    WHERE state = 'queued';
  CREATE INDEX outbox_expiry ON outbox (expires_at_ms, row_id, lane) WHERE state = 'queued';
  CREATE INDEX outbox_sent ON outbox (lane, row_id) WHERE state = 'sent';
  CREATE INDEX outbox_open ON outbox (lane, state, created_at_ms) WHERE state IN ('queued', 'sent');
  CREATE INDEX outbox_packet ON outbox (lane, packet_id) WHERE packet_id IS NOT NULL AND state IN ('queued', 'sent');
  CREATE INDEX outbox_group ON outbox (lane, group_id, row_id) WHERE group_id IS NOT NULL;
  CREATE INDEX outbox_finished ON outbox (finished_at_ms) WHERE state IN ('done', 'failed', 'expired');
`;

const LINKS_NAMES_VALUES = `
  CREATE TABLE message_links (
    link_id INTEGER PRIMARY KEY,
    radio TEXT NOT NULL,
    sender INTEGER NOT NULL,
    packet_id INTEGER NOT NULL,
    room_id TEXT NOT NULL,
    event_id TEXT NOT NULL,
    direction TEXT NOT NULL CHECK (direction IN ('to-room', 'to-mesh')),
    text TEXT,
    meshnet TEXT,
    author TEXT,
    created_at_ms INTEGER NOT NULL,
    UNIQUE (event_id, radio, sender, packet_id)
  ) STRICT;
  CREATE INDEX message_links_packet ON message_links (packet_id, radio);
  CREATE INDEX message_links_age ON message_links (created_at_ms, link_id);

  CREATE TABLE node_names (
    num INTEGER PRIMARY KEY,
    long_name TEXT,
    short_name TEXT,
    last_seen_ms INTEGER NOT NULL
  ) STRICT;

  CREATE TABLE relay_values (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
`;

/** Inbox, outbox, links, names, values. Row ids of inbox and outbox are never reused (AUTOINCREMENT). */
export const relayTables: Migration = {
  version: 2,
  name: 'inbox, outbox, links, names, values',
  apply(db) {
    for (const sql of [INBOX, OUTBOX, LINKS_NAMES_VALUES]) db.script(sql);
  },
};
