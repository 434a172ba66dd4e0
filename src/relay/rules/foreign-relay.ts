import type { JsonObject } from '../../util/json.ts';
import { portNumber } from '../../util/portnums.ts';
import type { RelaySettings } from '../settings.ts';
import { roomPrefix } from './prefix.ts';
import { text } from './view.ts';

/** A message that another relay of the family put into the room, by its custom keys (spec 02 section 2.8). */
export interface ForeignMessage {
  readonly long: string;
  readonly short: string;
  readonly meshnet: string;
  readonly text: string | null;
  readonly portnum: number;
  readonly isReaction: boolean;
}

/** The meshnet an event claims to come from; null for the words of a person. */
export function claimedMeshnet(content: JsonObject): string | null {
  return text(content.meshtastic_longname) === null ? null : text(content.meshtastic_meshnet);
}

/** Only relays the operator named may speak for mesh nodes: any member can write the custom keys (W23). */
export function isTrustedRelay(sender: string, settings: RelaySettings): boolean {
  return settings.trustRoomRelays || settings.trustedRelays.has(sender);
}

export function readForeignMessage(content: JsonObject): ForeignMessage | null {
  const meshnet = claimedMeshnet(content);
  const long = text(content.meshtastic_longname);
  if (meshnet === null || long === null) return null;
  const port = content.meshtastic_portnum;
  return {
    long,
    meshnet,
    short: text(content.meshtastic_shortname) ?? ([...long].slice(0, 3).join('') || '???'),
    text: text(content.meshtastic_text),
    portnum: typeof port === 'number' ? port : (portNumber(text(port) ?? '') ?? Number.parseInt(text(port) ?? '1', 10)),
    isReaction:
      content.meshtastic_replyId !== undefined && (content.meshtastic_emoji === 1 || content.msgtype === 'm.emote'),
  };
}

/** First four characters of a meshnet name, the way relays sign each other's messages on the air. */
export function shortMeshnet(meshnet: string): string {
  return [...meshnet].slice(0, 4).join('');
}

/** A relay that sends no raw text has put its own prefix before it: said twice, it would cost air (spec 02 section 3.5). */
export function withoutForeignPrefix(
  body: string,
  from: Pick<ForeignMessage, 'long' | 'short' | 'meshnet'>,
  format: string,
): string {
  const { long, short, meshnet } = from;
  const meshes = [meshnet, shortMeshnet(meshnet)];
  const candidates = meshes.flatMap((mesh) => [
    `[${long}/${mesh}]: `,
    `${long}/${mesh}: `,
    `${short}/${mesh}: `,
    roomPrefix(format, { long, short, mesh }),
  ]);
  const found = candidates
    .filter((prefix) => prefix !== '' && body.startsWith(prefix))
    .sort((a, b) => b.length - a.length)[0];
  return found === undefined ? body : body.slice(found.length);
}

/** The emoji of an old relay's emote `… reacted X to "…"`. */
export function emoteReaction(body: string): string {
  return /reacted\s+(\S+)\s+to/.exec(body)?.[1] ?? '?';
}

const QUOTE_CHARACTERS = 40;

/** A quote short enough for the air: no quoted lines, one line, 40 characters. */
export function quote(original: string): string {
  const words = original
    .split('\n')
    .filter((line) => !line.trimStart().startsWith('>'))
    .map((line) => line.trim())
    .join(' ')
    .trim();
  const points = [...words];
  return points.length > QUOTE_CHARACTERS ? `${points.slice(0, QUOTE_CHARACTERS).join('')}...` : words;
}
