import * as z from 'zod';
import { key } from './key.ts';
import { matrixSchema, roomSchema } from './matrix.ts';
import { radioSchema } from './meshtastic.ts';
import { databaseSchema, loggingSchema, securitySchema } from './operations.ts';
import { corePluginsSchema, foreignPluginsSchema } from './plugins.ts';
import { directMessagesSchema, healthSchema, radiosSchema, relaySchema, virtualNodeSchema } from './relay.ts';

const ROOMS_DOC = 'Which room belongs to which channel.';
const RADIO_DOC = 'The radio. Several: make it a list, each entry with a name.';

const PLUGINS_EXPECTED = 'a mapping of plugins, such as ping: {active: true}';

const sections = {
  relay: key(relaySchema.prefault({}), { doc: 'How messages cross.' }),
  direct_messages: key(directMessagesSchema.prefault({}), {
    doc: 'Private messages between mesh nodes and Matrix users.',
  }),
  virtual_node: key(virtualNodeSchema.prefault({}), { doc: 'Share the radio with phone apps and other clients.' }),
  radios: key(radiosSchema.prefault({}), { doc: 'What concerns several radios together.' }),
  logging: key(loggingSchema.prefault({}), { doc: 'What is logged, and where.' }),
  health: key(healthSchema.prefault({}), { doc: 'What probes and monitoring see.' }),
  database: key(databaseSchema.prefault({}), { doc: 'The local database.' }),
  plugins: key(corePluginsSchema.prefault({}), { doc: 'Core plugins.', expected: PLUGINS_EXPECTED }),
  'community-plugins': key(foreignPluginsSchema.prefault({}), {
    doc: 'Plugins from git repositories.',
    expected: PLUGINS_EXPECTED,
  }),
  'custom-plugins': key(foreignPluginsSchema.prefault({}), {
    doc: 'Your own plugins, in plugins/custom of the home.',
    expected: PLUGINS_EXPECTED,
  }),
  security: key(securitySchema.prefault({}), { doc: 'What plugins may do.' }),
};

/** How the user wrote the two sections that have two forms. */
export interface ConfigShape {
  readonly radios: 'single' | 'list';
  readonly rooms: 'list' | 'dict';
}

const matrix = key(matrixSchema.prefault({}), { doc: 'The Matrix account.' });
const oneRoom = key(roomSchema, { doc: 'One room.', expected: 'a mapping with id and meshtastic_channel' });
const ROOMS_REMEDY = 'add a room: its id, and the meshtastic_channel that belongs to it; `mmrelay setup` asks for both';
const roomList = key(z.array(oneRoom).min(1), {
  doc: ROOMS_DOC,
  expected: 'a list of at least one room',
  remedy: ROOMS_REMEDY,
});
const roomDict = key(
  z.record(z.string(), oneRoom).refine((rooms) => Object.keys(rooms).length > 0),
  { doc: ROOMS_DOC, expected: 'at least one room', remedy: ROOMS_REMEDY },
);
const RADIO_REMEDY = 'add it with connection_type and host, serial_port or ble_address; `mmrelay radios` finds radios';
const oneRadio = key(radioSchema, { doc: RADIO_DOC, remedy: RADIO_REMEDY });
const radioList = key(z.array(oneRadio).min(1), {
  doc: RADIO_DOC,
  expected: 'a list of at least one radio',
  remedy: RADIO_REMEDY,
});

/** The schema of a file of that shape; two forms, so that problems point at the very key. */
export function rootSchema(shape: ConfigShape) {
  return z.object({
    matrix,
    matrix_rooms: shape.rooms === 'dict' ? roomDict : roomList,
    meshtastic: shape.radios === 'list' ? radioList : oneRadio,
    ...sections,
  });
}

/** The schema of every file we accept, for editors. */
export function anyRootSchema() {
  return z.object({
    matrix,
    matrix_rooms: key(z.union([roomList, roomDict]), { doc: ROOMS_DOC }),
    meshtastic: key(z.union([oneRadio, radioList]), { doc: RADIO_DOC }),
    ...sections,
  });
}

export type ParsedConfig = z.infer<ReturnType<typeof rootSchema>>;
