import * as z from 'zod';
import { SAMPLE_ROOM } from '../placeholders.ts';
import { DEFAULT_MESH_TO_MATRIX_PREFIX, key } from './key.ts';

/** `@local:server`. */
export const userIdSchema = z.string().regex(/^@[^\s:]+:\S+$/);
const USER_EXPECTED = 'a list of Matrix user ids such as @relay:example.org';

const e2ee = key(
  z
    .object({
      enabled: key(z.union([z.boolean(), z.literal('auto')]).default('auto'), {
        doc: 'End-to-end encryption. auto: on whenever the device of the account is known. false: encrypted rooms are left alone, never written to in plain text.',
        env: 'MMRELAY_MATRIX_E2EE_ENABLED',
        expected: 'true, false or auto',
      }),
      trust: key(z.enum(['all', 'cross_signed']).default('all'), {
        doc: 'Which devices of room members get our keys: all, or only those their owner has cross-signed.',
      }),
      store_path: key(z.string().optional(), {
        doc: 'Folder of the encryption keys; normally the store folder of the home.',
        example: '~/.mmrelay/store',
        instead: 'leave it out: keys live in the home folder',
      }),
    })
    .prefault({}),
  { doc: 'Encrypted rooms.' },
);

export const matrixSchema = z.object({
  homeserver: key(z.string().trim().min(1).optional(), {
    doc: 'URL of the homeserver. Not needed once `mmrelay auth login` has stored credentials.',
    env: 'MMRELAY_MATRIX_HOMESERVER',
    example: 'https://matrix.example.org',
    placeholder: true,
  }),
  bot_user_id: key(z.string().trim().min(1).optional(), {
    doc: "The relay's own Matrix account.",
    env: 'MMRELAY_MATRIX_BOT_USER_ID',
    example: '@relay:example.org',
    placeholder: true,
  }),
  password: key(z.string().min(1).optional(), {
    doc: 'Used once, to log in when there are no stored credentials. Better given by `mmrelay auth login`, password_file or the environment.',
    env: 'MMRELAY_MATRIX_PASSWORD',
    secret: true,
  }),
  password_file: key(z.string().min(1).optional(), {
    doc: 'File that holds the password (one line).',
    example: '/run/secrets/matrix-password',
  }),
  access_token: key(z.string().min(1).optional(), {
    doc: 'An access token made elsewhere. It has no device of its own here: prefer `mmrelay auth login`.',
    env: 'MMRELAY_MATRIX_ACCESS_TOKEN',
    secret: true,
    instead: 'run `mmrelay auth login`',
  }),
  access_token_file: key(z.string().min(1).optional(), {
    doc: 'File that holds the access token.',
    example: '/run/secrets/matrix-token',
  }),
  credentials_path: key(z.string().min(1).optional(), {
    doc: 'Where credentials.json lies, when not in the home folder.',
    env: 'MMRELAY_CREDENTIALS_PATH',
    example: '/data/credentials.json',
    instead: 'leave it out: credentials live in the home folder',
  }),
  e2ee,
  prefix_enabled: key(z.boolean().default(true), {
    doc: 'Put a prefix in front of mesh messages shown in Matrix.',
  }),
  prefix_format: key(z.string().default(DEFAULT_MESH_TO_MATRIX_PREFIX), {
    doc: 'That prefix. Variables: {long} {long1}..{long20} {short} {mesh} {mesh1}..{mesh20}.',
  }),
  trusted_relays: key(z.array(userIdSchema).default([]), {
    doc: 'Matrix users that are relays of other meshnets and may speak for the nodes of theirs.',
    example: ['@relay-of-friends:example.org'],
    expected: USER_EXPECTED,
  }),
  trust_room_relays: key(z.boolean().default(false), {
    doc: 'Believe any room member that writes like a relay, as the Python relay did. Anybody can then invent mesh nodes.',
  }),
  admins: key(z.array(userIdSchema).default([]), {
    doc: 'Matrix users who may use administrative commands and verify the relay.',
    example: ['@you:example.org'],
    expected: USER_EXPECTED,
  }),
});

const QUOTES = 'put it in plain quotes: a bare # starts a comment, a bare ! is read as a type';

/** What somebody may have meant who wrote this for a room. */
function roomIdRemedy(value: unknown): string {
  const text = typeof value === 'string' ? value.trim() : '';
  const [, linked] = /^https:\/\/matrix\.to\/#\/([^?]+)/.exec(text) ?? [];
  if (linked !== undefined) return `write "${linked}"`;
  if (text.startsWith('@')) return 'that is a user: name the room, by #alias:server or !id';
  if (/^[^#!\s"“„«:]+:[^\s:]+$/.test(text)) return `write "#${text}" for an alias, or "!${text}" for a room id`;
  if (/^#?[^#!\s"“„«:]+$/.test(text))
    return 'add the server, as in "#mesh:example.org"; clients show it in the settings of the room';
  return QUOTES;
}

/** One room. */
export const roomSchema = z.object({
  id: key(z.string().regex(/^(?:!\S+|#\S+:\S+)$/), {
    doc: 'Room id (!..) or alias (#..). Quote it: a bare # starts a comment.',
    sample: SAMPLE_ROOM,
    placeholder: true,
    expected: 'a room id such as !abc:example.org or an alias such as #mesh:example.org',
    remedy: roomIdRemedy,
  }),
  meshtastic_channel: key(z.number().int().min(0).max(7), {
    doc: 'Channel index on the radio, 0 to 7.',
    sample: 0,
    expected: 'a channel index from 0 to 7',
  }),
  radio: key(z.string().min(1).optional(), {
    doc: 'Name of the radio, when there are several. Without it the first one.',
    example: 'default',
  }),
  allow: key(z.array(z.string().min(1)).default([]), {
    doc: 'Only these Matrix users (or *:server) may transmit. Empty: everybody.',
    example: ['@you:example.org', '*:example.org'],
  }),
  deny: key(z.array(z.string().min(1)).default([]), { doc: 'These Matrix users may never transmit.' }),
  min_power_level: key(z.number().int().optional(), {
    doc: 'Lowest power level in the room that may transmit.',
    example: 0,
  }),
  matrix_prefix_format: key(z.string().optional(), {
    doc: 'matrix.prefix_format for this room. Empty text: no prefix.',
    example: '[{long}]: ',
  }),
  meshtastic_prefix_format: key(z.string().optional(), {
    doc: 'meshtastic.prefix_format for this room. Empty text: no prefix.',
    example: '{display8}: ',
  }),
  positions: key(z.boolean().default(false), { doc: 'Show positions and waypoints of mesh nodes as locations.' }),
  notices: key(z.boolean().optional(), { doc: 'relay.notices for this room.', example: true }),
});

export type ParsedMatrix = z.infer<typeof matrixSchema>;
export type ParsedRoom = z.infer<typeof roomSchema>;
