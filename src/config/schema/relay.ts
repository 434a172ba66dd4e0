import * as z from 'zod';
import { DURATION_EXPECTED, duration, key } from './key.ts';
import { userIdSchema } from './matrix.ts';

const ORIGIN = /^https?:\/\/[^/\s]+\/?$/i;
const LISTEN = /^(\[[0-9a-fA-F:.]+\]|[^\s:]*):\d{1,5}$/;
const LISTEN_EXPECTED = 'an address and port such as 127.0.0.1:9464';

const userRateLimit = key(
  z
    .object({
      burst: key(z.number().int().min(1).default(20), { doc: 'Messages at once.' }),
      per_minute: key(z.number().positive().default(30), { doc: 'Messages per minute in the long run.' }),
    })
    .prefault({}),
  { doc: 'How much one Matrix user may transmit.' },
);

export const relaySchema = z.object({
  long_messages: key(z.enum(['split', 'truncate']).default('split'), {
    doc: 'Matrix texts too long for one packet: split into numbered parts, or cut with a mark.',
  }),
  max_parts: key(z.number().int().min(1).max(20).default(4), {
    doc: 'Most parts of one text; the sender is told when it is cut.',
  }),
  delivery_status: key(z.enum(['off', 'failures', 'reactions', 'notices']).default('failures'), {
    doc: 'What the Matrix sender sees: nothing, failures as a reaction, every state as a reaction, or as a reply.',
  }),
  max_age: key(duration().default('12h'), {
    doc: 'Messages that waited longer than this are not sent any more; their sender is told.',
    expected: DURATION_EXPECTED,
  }),
  notices: key(z.boolean().default(false), { doc: 'Send m.notice (what bots write) to the mesh as well.' }),
  edits: key(z.enum(['correction', 'ignore']).default('correction'), {
    doc: 'An edited Matrix message: one short correction on the mesh, or nothing.',
  }),
  redactions: key(z.enum(['ignore', 'notice']).default('ignore'), {
    doc: 'A removed Matrix message: nothing, or a short note on the mesh; one that still waits is not sent.',
  }),
  user_rate_limit: userRateLimit,
  ignored_nodes: key(z.array(z.string().regex(/^![0-9a-f]{1,8}$/i)).default([]), {
    doc: 'Mesh nodes whose messages are not relayed.',
    example: ['!a1b2c3d4'],
    expected: 'a list of node ids such as !a1b2c3d4',
  }),
});

export const directMessagesSchema = z.object({
  mode: key(z.enum(['off', 'rooms']).optional(), {
    doc: 'rooms: one Matrix room per mesh node that writes to the relay. Default: rooms when users are named, else off.',
    example: 'rooms',
  }),
  users: key(z.array(userIdSchema).default([]), {
    doc: 'Matrix users who are invited to those rooms and may speak for the node.',
    example: ['@you:example.org'],
    expected: 'a list of Matrix user ids such as @you:example.org',
  }),
});

export const virtualNodeSchema = z.object({
  listen: key(z.string().regex(LISTEN).optional(), {
    doc: 'Share the radio: phone apps and other clients connect here as if it were the radio.',
    env: 'MMRELAY_VIRTUAL_NODE_LISTEN',
    example: '127.0.0.1:4404',
    expected: LISTEN_EXPECTED,
  }),
  radio: key(z.string().min(1).optional(), {
    doc: 'Which radio is shared; the first one by default.',
    example: 'default',
  }),
  allow_admin: key(z.union([z.literal(false), z.array(z.string().min(1))]).default(false), {
    doc: 'Addresses whose clients may change the settings of the radio.',
    example: ['127.0.0.1'],
    expected: 'false or a list of addresses such as 127.0.0.1',
  }),
  web_clients: key(z.array(z.string().regex(ORIGIN)).default([]), {
    doc: 'Web pages that may use the radio from a browser (HTTP on the same port).',
    example: ['https://client.meshtastic.org'],
    expected: 'a list of origins such as https://client.meshtastic.org',
  }),
});

export const radiosSchema = z.object({
  failover: key(z.boolean().default(false), {
    doc: 'When the radio of a room is down, send through another one that has the same channel.',
  }),
});

export const healthSchema = z.object({
  listen: key(z.string().regex(LISTEN).optional(), {
    doc: 'Serve /healthz, /readyz and /metrics here. Off by default.',
    env: 'MMRELAY_HEALTH_LISTEN',
    example: '127.0.0.1:9464',
    expected: LISTEN_EXPECTED,
  }),
  ready_requires: key(z.enum(['auto', 'any', 'matrix', 'radio', 'both']).default('auto'), {
    doc: 'Which sides must be up to be ready. auto: both for the first time, then any.',
    env: 'MMRELAY_HEALTH_READY_REQUIRES',
  }),
  ready_file: key(z.string().min(1).optional(), {
    doc: 'File that exists while the relay is ready and is touched while it is alive.',
    env: 'MMRELAY_READY_FILE',
    example: '/run/mmrelay/ready',
  }),
  ready_heartbeat: key(z.number().int().default(60), {
    doc: 'Seconds between two touches of the ready file; 0 or less: never.',
    env: 'MMRELAY_READY_HEARTBEAT_SECONDS',
    tolerant: true,
  }),
});
