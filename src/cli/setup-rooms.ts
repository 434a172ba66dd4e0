import { freshSession } from '../app/account/session.ts';
import { parseNewRoom, parseRoom, type RoomAnswer } from '../app/setup/answers.ts';
import { type ChannelChoice, channelChoices } from '../app/setup/channels.ts';
import { type KnownRoom, knownRooms } from '../app/setup/known-rooms.ts';
import { newRoom } from '../app/setup/new-room.ts';
import type { AppPaths } from '../config/paths.ts';
import { askFor, confirm, type Dialogue } from './dialogue.ts';
import type { RadioFacts } from './setup-radio.ts';

export interface RoomFlags {
  readonly room?: readonly string[] | undefined;
  readonly newRoom?: readonly string[] | undefined;
  readonly invite?: readonly string[] | undefined;
  readonly encrypted?: boolean | undefined;
}

/** What is to become of one channel. */
type Choice = 'none' | RoomAnswer | { readonly newRoom: string; readonly channel: number };

/** Rooms by flags, or by a question for each channel of the radio; makes the new ones. null: none, or not understood. */
export async function chooseRooms(
  flags: RoomFlags,
  context: { readonly paths: AppPaths; readonly dialogue: Dialogue; readonly facts: RadioFacts | null },
): Promise<readonly RoomAnswer[] | null> {
  const { paths, dialogue, facts } = context;
  const choices = byFlags(flags) ?? (dialogue.talks ? await askAll(dialogue, paths, facts) : []);
  const wanted = choices?.filter((choice) => choice !== 'none') ?? [];
  if (wanted.length === 0) return null;
  const fresh = wanted.filter((choice) => 'newRoom' in choice);
  const guests = flags.invite ?? (fresh.length > 0 && dialogue.talks ? await askGuests(dialogue) : []);
  const encrypted =
    flags.encrypted ??
    (fresh.length > 0 && dialogue.talks && (await confirm(dialogue, 'End-to-end encrypted? (for good)', false)));
  const rooms: RoomAnswer[] = [];
  for (const choice of wanted) {
    if (!('newRoom' in choice)) rooms.push(choice);
    else rooms.push(await make(choice, paths, { invite: guests, encrypted }));
  }
  return rooms;
}

/** Whether the flags name rooms, and all of them are understood. */
export function areRoomsNamed(flags: RoomFlags): boolean {
  return (byFlags(flags) ?? []).length > 0;
}

/** null: the flags name no room. An answer that is not understood makes the whole of no use. */
function byFlags(flags: RoomFlags): readonly Choice[] | null {
  const named = (flags.room ?? []).map(parseRoom);
  const fresh = (flags.newRoom ?? []).map((text) => {
    const parsed = parseNewRoom(text);
    return parsed === null ? null : { newRoom: parsed.name, channel: parsed.channel };
  });
  const all = [...named, ...fresh];
  if (all.length === 0) return null;
  return all.includes(null) ? [] : all.filter((choice) => choice !== null);
}

async function askAll(
  dialogue: Dialogue,
  paths: AppPaths,
  facts: RadioFacts | null,
): Promise<readonly Choice[] | null> {
  const channels = facts === null ? [] : channelChoices(facts);
  const session = await freshSession(paths);
  const known = session === null ? [] : await knownRooms(session);
  if (channels.length > 0) console.log('Channels of the radio:');
  for (const { index, name, isPrimary, reach } of channels)
    console.log(`   ${index}  ${name}  (${isPrimary ? 'primary' : 'secondary'}; ${reach})`);
  if (known.length > 0) console.log('Rooms of the account:');
  for (const [index, room] of known.entries()) console.log(`   ${index + 1}. ${roomText(room)}`);
  const choices: Choice[] = [];
  for (const channel of channels.length > 0 ? channels : [FIRST_CHANNEL]) {
    const choice = await askChannel(dialogue, channel, known);
    if (choice === null) return null;
    choices.push(choice);
  }
  return choices;
}

const FIRST_CHANNEL = { index: 0, name: 'Mesh', isPrimary: true } as const;

async function askChannel(
  dialogue: Dialogue,
  { index, name, isPrimary }: Omit<ChannelChoice, 'reach'>,
  known: readonly KnownRoom[],
): Promise<Choice | null> {
  const pick = known.length === 0 ? '' : 'number, ';
  const text = `Channel ${index} (${name}) belongs to: ${pick}#alias:server, !id, "new" room, or "-" for none`;
  const complaint = 'Rooms look like #mesh:example.org or !abc:example.org.';
  const choice = await askFor<Choice>(dialogue, { text, byDefault: isPrimary ? 'new' : '-', complaint }, (given) => {
    if (given === '-' || given === 'none') return 'none';
    if (given === 'new') return { newRoom: name, channel: index };
    const picked = /^\d+$/.test(given) ? known[Number(given) - 1] : undefined;
    const room = parseRoom(picked === undefined ? given : (picked.alias ?? picked.id));
    return room === null ? null : { ...room, channel: index };
  });
  if (choice === null || choice === 'none' || !('newRoom' in choice)) return choice;
  return { ...choice, newRoom: (await dialogue.ask(`Name of the new room [${name}]: `)).trim() || name };
}

async function askGuests(dialogue: Dialogue): Promise<readonly string[]> {
  const text = 'Who shall be invited? Your own Matrix id (@you:server), several with spaces';
  const complaint = 'Matrix ids look like @you:example.org; "-" for nobody.';
  const guests = await askFor(dialogue, { text, byDefault: '', complaint }, (given) => {
    if (given === '-') return [];
    const ids = given.split(/[\s,]+/).filter((id) => id !== '');
    return ids.length > 0 && ids.every((id) => /^@[^\s:]+:\S+$/.test(id)) ? ids : null;
  });
  return guests ?? [];
}

async function make(
  { newRoom: name, channel }: { readonly newRoom: string; readonly channel: number },
  paths: AppPaths,
  options: { readonly invite: readonly string[]; readonly encrypted: boolean },
): Promise<RoomAnswer> {
  const session = await freshSession(paths);
  if (session === null) throw new Error('a room is made after the login');
  const id = await newRoom(session, { name, ...options });
  console.log(`✅ Room "${name}" made: ${id}`);
  return { id, channel };
}

function roomText({ id, name, alias }: KnownRoom): string {
  return [name, alias ?? id].filter((part) => part !== null).join('  ');
}
