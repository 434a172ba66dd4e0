import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { jsonSchema } from '../../src/config/json-schema.ts';
import { readYaml } from '../../src/config/yaml-source.ts';
import { MINIMAL, parse } from './helpers.ts';

/** What an editor with the schema makes of a file. */
const schema = z.fromJSONSchema(jsonSchema());
const editorAccepts = (text: string): boolean => schema.safeParse(readYaml(text).value).success;

const ZOO = join(import.meta.dirname, 'zoo');
const zoo = readdirSync(ZOO).filter((name) => name.endsWith('.yaml'));

test.each(zoo)('%s: the editor accepts what the checker has nothing to say about', (name) => {
  const text = readFileSync(join(ZOO, name), 'utf8');
  if (parse(text).problems.length === 0) expect(editorAccepts(text)).toBe(true);
});

test.each([
  ['a section', 'loging: {level: info}\n'],
  ['a key of a section', 'relay: {max_part: 3}\n'],
  ['a key of a section in a section', 'database: {msg_map: {msg_to_keep: 3}}\n'],
  ['a key of a radio', '  hots: radio.lan\n'],
  ['a core plugin', 'plugins: {pong: {active: true}}\n'],
  ['a key of a core plugin', 'plugins: {ping: {mimic_mod: true}}\n'],
  ['a key of a schedule', 'custom-plugins: {mine: {schedule: {hour: 1}}}\n'],
])('the editor marks a misspelt name of %s, as the checker does', (_what, line) => {
  expect(parse(MINIMAL + line).problems).toMatchObject([{ severity: 'warning', nearest: expect.any(String) }]);
  expect(editorAccepts(MINIMAL + line)).toBe(false);
});

test.each([
  'db: {path: /data/meshtastic.sqlite}\ncredentials_path: /data/credentials.json\n',
  'matrix: {user_id: "@bot:x", encryption: {enabled: true}}\n',
  '  retry_limit: 3\n  plugin_response_delay: 3\n  heartbeat_interval: 60\n  relay_reactions: true\n',
  'logging: {level: WARNING, debug: {bleak: true}, rich_tracebacks: true}\n',
  'plugins: {map: {anonymize: true, radius: 5}, ping: }\n',
  'custom-plugins: {mine: {colour: red}}\nx-rooms: [1]\ndirect_messages: off\n',
])('the editor knows old keys, keys of plugins and empty ones: %s', (lines) => {
  expect(parse(MINIMAL + lines).config).not.toBeNull();
  expect(editorAccepts(MINIMAL + lines)).toBe(true);
});

test('old spellings are marked as such', () => {
  expect(jsonSchema()).toMatchObject({
    properties: {
      db: { deprecated: true, description: 'Old spelling of database.' },
      meshtastic: { anyOf: [{ properties: { retry_limit: { deprecated: true } } }, {}] },
    },
  });
});

test('the schema is JSON through and through: no infinity became null', () => {
  const isBad = (value: unknown): boolean =>
    typeof value === 'object' && value !== null
      ? Object.entries(value).some(([name, part]) => (/^(max|min)imum$/.test(name) && part === null) || isBad(part))
      : false;
  expect(isBad(JSON.parse(JSON.stringify(jsonSchema())))).toBe(false);
});
