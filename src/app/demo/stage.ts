import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../../config/load.ts';
import { resolvePaths } from '../../config/paths.ts';
import { type EncryptingUser, type ReadMessage, startEncryptingUser } from '../../matrix/crypto/encrypting-user.ts';
import { LogSystem } from '../../observe/logger.ts';
import { Redactor } from '../../observe/redact.ts';
import { createHomeserver, type Homeserver } from '../../sandbox/homeserver/homeserver.ts';
import { createVirtualRadio, type VirtualRadio } from '../../sandbox/radio/virtual-radio.ts';
import { systemClock } from '../../util/clock.ts';
import { createDaemon, type Daemon } from '../daemon/daemon.ts';
import { type GuestPlugin, installGuestPlugin } from './guest-plugin.ts';

/** Everything a demo needs: radio with its mesh, homeserver with an encrypted room and a person in it, and the relay. */
export interface Stage {
  readonly radio: VirtualRadio;
  readonly homeserver: Homeserver;
  readonly person: EncryptingUser;
  readonly roomId: string;
  readonly daemon: Daemon;
  close(): Promise<void>;
}

export const NODES = [
  { num: 0x0a11ce01, longName: 'Alice Hiker', shortName: 'ALI' },
  { num: 0x0b0bca02, longName: 'Bob Basecamp', shortName: 'BOB' },
  { num: 0x0ca0150e, longName: 'Carol Summit', shortName: 'CAR' },
] as const;

export const RELAY = '@relay:demo.local';
const PASSWORD = 'demo-password';

export interface StageOptions {
  /** Log lines of the relay. */
  readonly write: (line: string) => void;
  /** What the person reads. */
  readonly onMessage: (message: ReadMessage) => void;
  readonly onFatal: (error: unknown) => void;
  /** Runs in the relay, beside nothing else; null for none. */
  readonly plugin: GuestPlugin | null;
}

/** Builds the stage in a temporary home; nothing of the machine is touched. */
export async function buildStage(options: StageOptions): Promise<Stage> {
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-demo-'));
  const radio = await createVirtualRadio({
    longName: 'Demo Relay',
    shortName: 'DEMO',
    modemPreset: 'SHORT_FAST',
    region: 'US',
    nodes: NODES.map((node, index) => ({ ...node, hopsAway: index })),
  });
  const homeserver = await createHomeserver({ serverName: 'demo.local' });
  homeserver.registerUser('relay', PASSWORD);
  const { baseUrl } = homeserver;
  const { onMessage } = options;
  const person = await startEncryptingUser({ baseUrl, onMessage, ...homeserver.registerUser('you', PASSWORD) });
  const roomId = await person.createRoom({ name: 'Mountain rescue', aliasLocalpart: 'mesh' });
  const daemon = startRelay(home, { radio, homeserver, ...options });
  return {
    radio,
    homeserver,
    person,
    roomId,
    daemon,
    close: async () => {
      person.stop();
      await daemon.stop();
      await Promise.all([radio.close(), homeserver.close()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

function startRelay(
  home: string,
  context: StageOptions & { readonly radio: VirtualRadio; readonly homeserver: Homeserver },
): Daemon {
  const { radio, homeserver, write, onFatal, plugin } = context;
  if (plugin !== null) installGuestPlugin(plugin, home);
  const text = demoConfig(radio.port, homeserver.baseUrl) + pluginSection(plugin);
  const { config, problems } = parseConfig({ text, file: null, env: {} });
  if (config === null) throw new Error(`The demo's own configuration is wrong: ${JSON.stringify(problems)}`);
  const log = new LogSystem({
    level: 'error',
    levels: {},
    format: 'pretty',
    colour: false,
    messageText: false,
    redactor: new Redactor(),
    clock: systemClock,
    write,
    file: null,
  });
  const paths = resolvePaths({ cli: { home }, env: {}, cwd: home, config });
  const daemon = createDaemon({ config, paths, clock: systemClock, random: Math.random, logger: log.logger, onFatal });
  daemon.start();
  return daemon;
}

/** The configuration a user would write, and all that is needed. */
function demoConfig(radioPort: number, homeserver: string): string {
  return `
meshtastic:
  connection_type: tcp
  host: 127.0.0.1
  port: ${radioPort}
  meshnet_name: Demo
matrix:
  homeserver: ${homeserver}
  bot_user_id: "${RELAY}"
  password: ${PASSWORD}
matrix_rooms:
  - id: "#mesh:demo.local"
    meshtastic_channel: 0
logging:
  log_to_file: false
`;
}

function pluginSection(plugin: GuestPlugin | null): string {
  return plugin === null ? '' : `custom-plugins: ${JSON.stringify({ [plugin.name]: { active: true } })}\n`;
}
