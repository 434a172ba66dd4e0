import type { Env } from '../../src/config/env.ts';
import { type LoadedConfig, parseConfig } from '../../src/config/load.ts';
import type { Problem } from '../../src/config/problems.ts';
import type { RelayConfig } from '../../src/config/types.ts';

export const ROOM = '!room:hs.test';
export const ROOMS = `matrix_rooms:\n  - id: "${ROOM}"\n    meshtastic_channel: 0\n`;
export const RADIO = 'meshtastic:\n  connection_type: tcp\n  host: radio.test\n';
export const MINIMAL = ROOMS + RADIO;

export function parse(text: string, env: Env = {}): LoadedConfig {
  return parseConfig({ text, file: 'config.yaml', env });
}

/** The configuration of a text that must be usable. */
export function config(text: string, env: Env = {}): RelayConfig {
  const loaded = parse(text, env);
  if (loaded.config === null) throw new Error(`not usable: ${JSON.stringify(loaded.problems, null, 1)}`);
  return loaded.config;
}

/** The one problem at a path. */
export function problemAt(loaded: LoadedConfig, path: string): Problem {
  const found = loaded.problems.filter((problem) => problem.path === path);
  if (found[0] === undefined) throw new Error(`no problem at ${path}: ${JSON.stringify(loaded.problems, null, 1)}`);
  return found[0];
}
