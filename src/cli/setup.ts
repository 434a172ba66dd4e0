import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { storedSession } from '../app/account/session.ts';
import { configOf, parseRadio } from '../app/setup/answers.ts';
import { channelChoices } from '../app/setup/channels.ts';
import { processEnv } from '../config/env.ts';
import { expandPath } from '../config/expand.ts';
import { writeFileDurably } from '../util/durable-file.ts';
import { EXIT, type ExitCode } from '../util/exit-code.ts';
import { authLogin, type LoginFlags, lackingLogin } from './auth-login.ts';
import { configCheck } from './config-check.ts';
import { type GlobalFlags, homePaths } from './context.ts';
import { confirm, type Dialogue, terminalDialogue } from './dialogue.ts';
import { serviceInstall } from './service.ts';
import { chooseRadio, type RadioFacts } from './setup-radio.ts';
import { areRoomsNamed, chooseRooms, type RoomFlags } from './setup-rooms.ts';

export interface SetupFlags extends LoginFlags, RoomFlags {
  readonly radio?: string | undefined;
  readonly meshnet?: string | undefined;
  readonly service?: boolean | undefined;
  readonly yes?: boolean | undefined;
  readonly force?: boolean | undefined;
}

/** `mmrelay setup`: radio, account, rooms, configuration, check, service. Every answer is also a flag. */
export async function setup(
  flags: SetupFlags,
  dialogue: Dialogue = terminalDialogue(flags.yes === true),
): Promise<ExitCode> {
  const paths = homePaths(flags);
  const target =
    flags.config === undefined
      ? join(paths.home.path, 'config.yaml')
      : expandPath(flags.config, { env: processEnv(), cwd: process.cwd() });
  if (existsSync(target) && flags.force !== true) {
    console.error(`A config file already exists at: ${target}`);
    console.error('Use --force to replace it (it is kept as .bak), or edit it and run `mmrelay config check`.');
    return EXIT.runtime;
  }
  const session = storedSession(paths);
  // Before the login: a mistyped room must not cost a device on the homeserver.
  if (!dialogue.talks) {
    const lacking = await lackingFlags(flags, session !== null);
    if (lacking.length > 0) return missing(lacking);
  }
  if (dialogue.talks) console.log('Enter takes what stands in [brackets]; Ctrl-C ends it.');
  step(dialogue, '1. The radio');
  const radio = await chooseRadio(flags.radio, dialogue);
  if (radio === null) return missing([RADIO]);
  const meshnet = await askMeshnet(flags, dialogue, radio.facts);
  step(dialogue, '2. The Matrix account of the relay (make one for it, do not use your own)');
  if (session !== null) console.log(`✅ Logged in as ${session.userId ?? 'an account'} on ${session.homeserver}`);
  const entered = session === null ? await authLogin(flags) : EXIT.ok;
  if (entered !== EXIT.ok) return entered;
  step(dialogue, '3. Rooms for the channels');
  const rooms = await chooseRooms(flags, { paths, dialogue, facts: radio.facts });
  if (rooms === null) return missing([ROOMS]);
  step(dialogue, '4. The configuration');
  mkdirSync(paths.home.path, { recursive: true, mode: 0o700 });
  if (existsSync(target)) copyFileSync(target, `${target}.bak`);
  writeFileDurably(target, configOf({ radio: radio.answer, meshnet, rooms }));
  console.log(`✅ Written: ${target}`);
  const checked = await configCheck({ ...flags, config: target, online: dialogue.talks });
  return checked === EXIT.ok ? offerService(flags, dialogue) : checked;
}

function step({ talks }: Dialogue, title: string): void {
  if (talks) console.log(`\n${title}\n${'-'.repeat(title.length)}`);
}

const RADIO = '--radio <host | /dev/... | ble:address | auto>';
const ROOMS = '--room <#alias:server or !id, =channel> or --new-room <name, =channel>';

async function lackingFlags(flags: SetupFlags, isLoggedIn: boolean): Promise<readonly string[]> {
  return [
    ...(parseRadio(flags.radio ?? '') === null ? [RADIO] : []),
    ...(isLoggedIn ? [] : await lackingLogin(flags)),
    ...(areRoomsNamed(flags) ? [] : [ROOMS]),
  ];
}

function missing(flags: readonly string[]): ExitCode {
  console.error(`Missing or not understood: ${flags.join(', ')}`);
  return EXIT.usage;
}

/** null: what the radio is called, which the relay asks it for. */
async function askMeshnet(flags: SetupFlags, dialogue: Dialogue, facts: RadioFacts | null): Promise<string | null> {
  const known = facts === null ? null : (channelChoices(facts)[0]?.name ?? null);
  const question = `Name of your mesh, as rooms shall see it [${known ?? "its radio's"}]: `;
  const given = flags.meshnet ?? (dialogue.talks ? await dialogue.ask(question) : '');
  return given.trim() === '' ? known : given.trim();
}

async function offerService({ home, config, ...flags }: SetupFlags, dialogue: Dialogue): Promise<ExitCode> {
  step(dialogue, '5. The service');
  const canRun = process.platform === 'linux';
  const place: GlobalFlags = { home, config };
  const wanted =
    flags.service ?? (canRun && dialogue.talks && (await confirm(dialogue, 'Shall systemd run the relay?', true)));
  if (wanted) return serviceInstall(place);
  console.log('\nNext:');
  console.log('   mmrelay                    run the relay');
  console.log('   mmrelay doctor             look at everything');
  console.log('   mmrelay service install    let systemd run it');
  return EXIT.ok;
}
