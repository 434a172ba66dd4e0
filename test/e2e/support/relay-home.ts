import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Daemon } from '../../../src/app/daemon/daemon.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { memoryHomeserver, signInRelay } from '../../chaos/support/chaos-homeserver.ts';
import { daemonOn } from '../../support/daemon-on.ts';
import { loggerTo } from '../../support/logger-to.ts';
import { Person } from '../../support/person.ts';
import { eventually } from './eventually.ts';

/** The whole relay in this process, in real time, with one room on channel 0 of its first radio. */
export interface RelayHome {
  readonly daemon: Daemon;
  readonly person: Person;
  readonly roomId: string;
  readonly logs: readonly string[];
  /** Bodies in the room that came over the mesh, without their prefix, in order. */
  texts(): Promise<string[]>;
  close(): Promise<void>;
}

/** Starts it with these sections of a config.yaml and waits until both sides are up. */
export async function startRelay(sections: {
  readonly meshtastic: object;
  readonly radios?: object;
  readonly virtual_node?: object;
}): Promise<RelayHome> {
  const homeserver = await memoryHomeserver(systemClock);
  const home = mkdtempSync(join(tmpdir(), 'mmrelay-home-'));
  signInRelay(home, homeserver.relayUrl, await homeserver.registerUser('relay'));
  const person = new Person({ ...(await homeserver.registerUser('carol')), baseUrl: homeserver.peopleUrl });
  const roomId = await person.createRoom('Mountain');
  const text = JSON.stringify({
    ...sections,
    matrix: { homeserver: homeserver.relayUrl, bot_user_id: '@relay:chaos.local' },
    matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
    logging: { log_to_file: false },
  });
  const logs: string[] = [];
  const logger = loggerTo((message, fields) => logs.push(`${message} ${JSON.stringify(fields)}`));
  const onFatal = (error: unknown): void => logger.error('FATAL', { error: String(error) });
  const daemon = daemonOn(home, text, { logger, onFatal });
  daemon.start();
  const close = async (): Promise<void> => {
    await daemon.stop();
    await homeserver.close();
    rmSync(home, { recursive: true, force: true });
  };
  try {
    await eventually('a ready relay', () => (daemon.health().state === 'ready' ? true : null));
  } catch (error) {
    await close();
    throw new Error(`${String(error)}\n${logs.slice(-20).join('\n')}`, { cause: error });
  }
  const texts = async (): Promise<string[]> => {
    const messages = await person.messages(roomId);
    return messages.flatMap(({ body }) => /^\[.*?\]: (.*)$/s.exec(body)?.[1] ?? []);
  };
  return { daemon, person, roomId, logs, texts, close };
}
