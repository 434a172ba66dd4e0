import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import { freePort } from './free-port.ts';

/** A home with a configuration, a homeserver with a room, a radio with one neighbour. */
export interface RelayWorld {
  readonly home: string;
  readonly configFile: string;
  readonly homeserver: Homeserver;
  readonly radio: VirtualRadio;
  readonly healthPort: number;
  readonly config: (extra?: string) => string;
  close(): Promise<void>;
}

export const NEIGHBOUR = { num: 0x0a11ce01, longName: 'Alice Hiker', shortName: 'ALI' } as const;

export async function relayWorld(): Promise<RelayWorld> {
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-app-'));
  const radio = await createVirtualRadio({ longName: 'R', shortName: 'R', region: 'US', nodes: [{ ...NEIGHBOUR }] });
  const homeserver = await createHomeserver({ serverName: 'test.local' });
  homeserver.registerUser('relay', 'relay-password');
  const owner = homeserver.registerUser('owner', 'owner-password');
  await fetch(`${homeserver.baseUrl}/_matrix/client/v3/createRoom`, {
    method: 'POST',
    headers: { authorization: `Bearer ${owner.accessToken}`, 'content-type': 'application/json' },
    body: JSON.stringify({ preset: 'public_chat', room_alias_name: 'mesh' }),
  });
  const healthPort = await freePort();
  const config = (extra = ''): string => `
matrix:
  homeserver: ${homeserver.baseUrl}
  bot_user_id: "@relay:test.local"
  password: relay-password
matrix_rooms:
  - id: "#mesh:test.local"
    meshtastic_channel: 0
meshtastic:
  connection_type: tcp
  host: 127.0.0.1
  port: ${radio.port}
  meshnet_name: Test
health:
  listen: 127.0.0.1:${healthPort}
${extra}`;
  const configFile = join(home, 'config.yaml');
  writeFileSync(configFile, config());
  return {
    home,
    configFile,
    homeserver,
    radio,
    healthPort,
    config,
    close: async () => {
      await Promise.all([radio.close(), homeserver.close()]);
      rmSync(home, { recursive: true, force: true });
    },
  };
}

/** Waits for a real event of another part, looking often. */
export async function until<T>(look: () => T | Promise<T>, what: string, timeoutMs = 15_000): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const value = await look();
    if (value !== null && value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`Never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
