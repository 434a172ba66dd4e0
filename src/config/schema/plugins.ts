import * as z from 'zod';
import { coreKeys } from './core-plugins.ts';
import { key } from './key.ts';

const PLUGIN_EXPECTED = 'a mapping such as {active: true}';

/** Names or patterns. A wrong value is an error: the default would open what somebody meant to close. */
const texts = z.union([z.string(), z.array(z.string())]).optional();

const every = (unit: string, example: number): z.ZodOptional<z.ZodNumber> =>
  key(z.number().positive().optional(), { doc: `Every so many ${unit}.`, example, tolerant: true });

/** Settings every plugin has. What the Python relay had is lenient, as it was there. */
const general = {
  active: key(z.boolean().default(false), { doc: 'Run it.', sample: true, tolerant: true }),
  channels: key(z.union([z.number(), z.array(z.union([z.number(), z.string()]))]).optional(), {
    doc: 'Channels it answers on; all mapped ones by default.',
    example: [0],
    expected: 'a channel index or a list of them',
    tolerant: true,
  }),
  priority: key(z.number().int().optional(), { doc: 'Lower runs first.', example: 100, tolerant: true }),
  require_bot_mention: key(z.boolean().optional(), {
    doc: 'Answer in Matrix only when mentioned.',
    example: true,
    tolerant: true,
  }),
  schedule: key(
    z
      .object({
        at: key(z.string().optional(), { doc: 'Time of day, HH:MM.', example: '06:30', tolerant: true }),
        hours: every('hours', 1),
        minutes: every('minutes', 5),
        seconds: every('seconds', 30),
      })
      .optional(),
    { doc: 'When a plugin runs by itself.', expected: 'a mapping such as {hours: 1} or {at: "06:30"}', tolerant: true },
  ),
  rooms: key(texts, { doc: 'Rooms where its commands work; all by default.', example: ['#mesh:example.org'] }),
  allow: key(texts, {
    doc: 'Only these may use its commands: Matrix users (`@*:example.org` is a pattern) or nodes (`!a1b2c3d4`).',
    example: ['@you:example.org'],
  }),
  deny: key(texts, { doc: 'These may not.', example: ['@*:example.com'] }),
  min_power_level: key(z.number().int().optional(), {
    doc: 'Lowest power level in the room that may use its commands.',
    example: 50,
  }),
  cooldown: key(z.number().nonnegative().optional(), {
    doc: 'Seconds between two uses of one command by one person.',
    example: 10,
    tolerant: true,
  }),
  units: key(z.enum(['metric', 'imperial']).optional(), {
    doc: 'Units in its answers.',
    example: 'metric',
    tolerant: true,
  }),
  locale: key(z.string().optional(), { doc: 'Language of numbers and dates, as `en`.', example: 'en', tolerant: true }),
  time_zone: key(z.string().optional(), {
    doc: "Time zone of its schedule and answers; the machine's by default.",
    example: 'Europe/Berlin',
    tolerant: true,
  }),
};

const source = {
  repository: key(z.string().optional(), { doc: 'Git URL.', example: 'https://example.org/plugin.git' }),
  commit: key(z.string().optional(), { doc: 'An exact commit; best.', example: 'abc1234' }),
  tag: key(z.string().optional(), { doc: 'A tag.', example: 'v1.0' }),
  branch: key(z.string().optional(), { doc: 'A branch.', example: 'main' }),
  install_requirements: key(z.boolean().default(false), {
    doc: 'Install the npm packages of its lockfile (`npm ci --ignore-scripts`).',
    tolerant: true,
  }),
};

const corePlugin = (own: Readonly<Record<string, z.ZodType>>) =>
  key(z.object({ ...own, ...general }).optional(), {
    doc: 'A core plugin.',
    expected: PLUGIN_EXPECTED,
    tolerant: true,
  });
/** Further keys belong to the plugin. */
const anyPlugin = key(z.looseObject({ ...general, ...source }), {
  doc: 'One plugin.',
  expected: PLUGIN_EXPECTED,
  tolerant: true,
});

const sectionKeys = {
  require_bot_mention: key(z.boolean().optional(), {
    doc: 'Default for all plugins of the section: true for core plugins, false for the others.',
    example: true,
    tolerant: true,
  }),
};

/** `community-plugins` and `custom-plugins`. */
export const foreignPluginsSchema = z.object(sectionKeys).catchall(anyPlugin);

/** `plugins`: those there are have their own keys; of others (`checkPlugins` names them) nothing is known. */
export const corePluginsSchema = z
  .object({
    ...Object.fromEntries(coreKeys().map(([name, own]) => [name, corePlugin(own)])),
    ...sectionKeys,
  })
  .catchall(anyPlugin);
