import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findRadios } from '../app/find-radios.ts';
import { bluetoothHub } from '../app/radios.ts';
import { freshSession } from '../app/session.ts';
import { configOf, parseRadio, parseRoom, type RadioAnswer, type RoomAnswer } from '../app/setup/answers.ts';
import { newRoom } from '../app/setup/new-room.ts';
import { processEnv } from '../config/env.ts';
import { expandPath } from '../config/expand.ts';
import type { AppPaths } from '../config/paths.ts';
import { systemClock } from '../util/clock.ts';
import { writeFileDurably } from '../util/durable-file.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { silentLogger } from '../util/logger.ts';
import { ask, isInteractive } from './ask.ts';
import { authLogin, type LoginFlags } from './auth-login.ts';
import { configCheck } from './config-check.ts';
import { homePaths } from './context.ts';

export interface SetupFlags extends LoginFlags {
  readonly radio?: string | undefined;
  readonly meshnet?: string | undefined;
  readonly room?: readonly string[] | undefined;
  readonly newRoom?: string | undefined;
  readonly invite?: readonly string[] | undefined;
  readonly yes?: boolean | undefined;
  readonly force?: boolean | undefined;
}

/** `mmrelay setup`: radio, account, rooms, configuration, check. Every answer is also a flag. */
export async function setup(flags: SetupFlags): Promise<ExitCode> {
  const talk = isInteractive() && flags.yes !== true;
  const paths = homePaths(flags);
  const target =
    flags.config === undefined
      ? join(paths.home.path, 'config.yaml')
      : expandPath(flags.config, { env: processEnv(), cwd: process.cwd() });
  if (existsSync(target) && flags.force !== true) {
    console.error(`A config file already exists at: ${target}`);
    console.error(
      'Use --force to replace it (the old one is kept as .bak), or edit it and run `mmrelay config check`.',
    );
    return EXIT.runtime;
  }
  const radio = await chooseRadio(flags, talk);
  if (radio === null) return missing('--radio <host | /dev/... | ble:address | auto>');
  const meshnet = flags.meshnet ?? (talk ? await ask('Name of your mesh, as rooms shall see it [Mesh]: ') : '');
  if (!existsSync(paths.credentials.path)) {
    console.log('\nThe Matrix account of the relay (make one for it, do not use your own):');
    const code = await authLogin(flags);
    if (code !== EXIT.ok) return code;
  }
  const rooms = await chooseRooms(flags, paths, talk);
  if (rooms === null) return missing('--room <#alias:server or !id, =channel> or --new-room <name>');
  const text = configOf({ radio, meshnet: meshnet.trim() === '' ? 'Mesh' : meshnet.trim(), rooms });
  mkdirSync(paths.home.path, { recursive: true, mode: 0o700 });
  if (existsSync(target)) copyFileSync(target, `${target}.bak`);
  writeFileDurably(target, text);
  console.log(`\n✅ Written: ${target}`);
  const checked = await configCheck({ ...flags, config: target });
  if (checked !== EXIT.ok) return checked;
  console.log('\nNext:');
  console.log('   mmrelay                    run the relay');
  console.log('   mmrelay doctor             look at everything');
  console.log('   mmrelay service install    let systemd run it');
  return EXIT.ok;
}

function missing(flag: string): ExitCode {
  console.error(`Missing or not understood: ${flag}`);
  return EXIT.usage;
}

async function chooseRadio(flags: SetupFlags, talk: boolean): Promise<RadioAnswer | null> {
  if (flags.radio !== undefined) return parseRadio(flags.radio);
  if (!talk) return null;
  console.log('Looking for radios on USB, over Bluetooth and in the network (about 5 seconds)...');
  const found = await findRadios({
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    hub: bluetoothHub(silentLogger),
    signal: new AbortController().signal,
  });
  for (const [index, { kind, target, name, busy }] of found.entries())
    console.log(`   ${index + 1}. ${kind} ${target} ${name ?? ''} ${busy ?? ''}`.trimEnd());
  if (found.length === 0) console.log('   none found; a radio in another network can still be named');
  const hint = found.length === 0 ? '' : '1';
  const answer = await ask(`Number, or host[:port], /dev/..., ble:address${hint === '' ? '' : ` [${hint}]`}: `);
  const text = answer.trim() === '' ? hint : answer.trim();
  const picked = /^\d+$/.test(text) ? found[Number(text) - 1] : undefined;
  return parseRadio(picked === undefined ? text : `${picked.kind}:${picked.target}`);
}

async function chooseRooms(flags: SetupFlags, paths: AppPaths, talk: boolean): Promise<readonly RoomAnswer[] | null> {
  const named = (flags.room ?? []).map(parseRoom);
  const wrong = named.some((room) => room === null);
  const rooms = named.filter((room) => room !== null);
  if (wrong) return null;
  let name = flags.newRoom;
  if (rooms.length === 0 && name === undefined && talk) {
    const answer = await ask('Room for channel 0 (#alias:server or !id), or empty to make a new one: ');
    const room = parseRoom(answer);
    if (room !== null) return [room];
    if (answer.trim() !== '') return null;
    name = (await ask('Name of the new room [Mesh]: ')).trim() || 'Mesh';
  }
  if (name === undefined) return rooms.length === 0 ? null : rooms;
  const invite = flags.invite ?? (talk ? [await ask('Your own Matrix id, to be invited (@you:server): ')] : []);
  const session = await freshSession(paths);
  if (session === null) return null;
  const id = await newRoom(session, { name, invite: invite.map((user) => user.trim()).filter((user) => user !== '') });
  console.log(`✅ Room made: ${id}`);
  return [...rooms, { id, channel: 0 }];
}
