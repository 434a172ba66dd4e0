import * as z from 'zod';
import { key } from './key.ts';

const level = z.enum(['debug', 'info', 'warn', 'error']);
const componentDebug = z.union([z.boolean(), z.string()]).optional();

export const loggingSchema = z.object({
  level: key(level.default('info'), {
    doc: 'debug, info, warn or error.',
    env: 'MMRELAY_LOGGING_LEVEL',
    sample: 'info',
    tolerant: true,
    expected: 'debug, info, warn (warning) or error (critical)',
  }),
  format: key(z.enum(['auto', 'pretty', 'json']).default('auto'), {
    doc: 'auto: readable on a terminal, one JSON line per record otherwise.',
    env: 'MMRELAY_LOGGING_FORMAT',
  }),
  levels: key(z.record(z.string(), level).default({}), {
    doc: 'Level of single components: matrix, radio, store, relay, plugins, health ...',
    example: { radio: 'debug' },
  }),
  message_text: key(z.boolean().default(false), {
    doc: 'Write message texts to the log, at level debug. Private conversations end up on disk.',
  }),
  log_to_file: key(z.boolean().default(true), { doc: 'Write a log file as well.' }),
  filename: key(z.string().min(1).optional(), {
    doc: 'The log file; logs/mmrelay.log of the home by default.',
    env: 'MMRELAY_LOG_FILE',
    example: '~/.mmrelay/logs/mmrelay.log',
  }),
  max_log_size: key(z.number().int().min(1024).default(5_242_880), { doc: 'Bytes before the log file is rotated.' }),
  backup_count: key(z.number().int().min(0).max(1000).default(1), { doc: 'Rotated log files to keep.' }),
  color_enabled: key(z.boolean().default(true), {
    doc: 'Colours on a terminal (NO_COLOR and TERM=dumb switch them off, too; FORCE_COLOR has them everywhere).',
  }),
  rich_tracebacks: key(z.boolean().optional(), {
    doc: 'Of the Python relay; no effect.',
    instead: 'leave it out',
  }),
  debug: key(
    z
      .object({
        matrix_nio: key(componentDebug, { doc: 'Old name of levels.matrix.', instead: 'use logging.levels' }),
        bleak: key(componentDebug, { doc: 'Old name of levels.ble.', instead: 'use logging.levels' }),
        meshtastic: key(componentDebug, { doc: 'Old name of levels.radio.', instead: 'use logging.levels' }),
        full_packets: key(z.unknown().optional(), {
          doc: 'Kept for old files: what is in mesh packets is not logged.',
          instead: 'leave it out',
        }),
      })
      .prefault({}),
    { doc: 'Component levels in the old spelling.', tolerant: true },
  ),
});

export const databaseSchema = z.object({
  path: key(z.string().min(1).optional(), {
    doc: 'The SQLite file; database/meshtastic.sqlite of the home by default.',
    env: 'MMRELAY_DATABASE_PATH',
    example: '~/.mmrelay/database/meshtastic.sqlite',
  }),
  enable_wal: key(z.boolean().default(true), { doc: 'Write-ahead log. Switch it off on network file systems only.' }),
  busy_timeout_ms: key(z.number().int().min(0).default(5000), {
    doc: 'Milliseconds to wait for another process that holds the file.',
    tolerant: true,
  }),
  pragmas: key(z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).default({}), {
    doc: 'Further SQLite pragmas. Those that durability depends on cannot be weakened.',
    example: { temp_store: 'MEMORY' },
  }),
  msg_map: key(
    z
      .object({
        msgs_to_keep: key(z.number().int().default(500), {
          doc: 'Messages remembered for replies and reactions; 0 or less: all.',
          tolerant: true,
        }),
        wipe_on_restart: key(z.boolean().default(false), { doc: 'Forget them at every start.', tolerant: true }),
      })
      .prefault({}),
    { doc: 'The memory for replies and reactions.' },
  ),
});

export const securitySchema = z.object({
  community_repo_hosts: key(
    z.union([z.string(), z.array(z.string())]).default(['github.com', 'gitlab.com', 'codeberg.org', 'bitbucket.org']),
    { doc: 'Hosts community plugins may come from.' },
  ),
  allow_local_plugin_paths: key(z.boolean().default(false), { doc: 'Allow community plugins from local folders.' }),
  allow_untrusted_dependencies: key(z.boolean().default(false), {
    doc: 'Allow plugin dependencies from anywhere.',
  }),
});
