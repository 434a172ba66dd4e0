import { isObject, type JsonObject, type JsonValue } from '../../util/json.ts';
import type { RoomEvent } from '../ports.ts';
import { htmlToText } from './html-to-text.ts';
import { text } from './view.ts';

/** Relations of an event, read once. */
export interface Relations {
  /** Event this one answers; for a thread without explicit reply, the thread's root. */
  readonly replyTo: string | null;
  /** Event this one edits, with the new content. */
  readonly edits: { readonly eventId: string; readonly content: JsonObject } | null;
  /** m.annotation. */
  readonly reaction: { readonly eventId: string; readonly key: string } | null;
}

export function readRelations(content: JsonObject): Relations {
  const relates = isObject(content['m.relates_to']) ? content['m.relates_to'] : {};
  const target = text(relates.event_id);
  const inReply = isObject(relates['m.in_reply_to']) ? text(relates['m.in_reply_to'].event_id) : null;
  const replaced = content['m.new_content'];
  const key = text(relates.key);
  return {
    replyTo: inReply ?? (relates.rel_type === 'm.thread' ? target : null),
    edits:
      relates.rel_type === 'm.replace' && target !== null
        ? { eventId: target, content: isObject(replaced) ? replaced : content }
        : null,
    reaction: relates.rel_type === 'm.annotation' && target !== null && key !== null ? { eventId: target, key } : null,
  };
}

/** A rich-reply fallback (`> <@user> …`, then a blank line) at the head of a body is never content (W38). */
function stripReplyFallback(body: string): string {
  const lines = body.split('\n');
  if (!/^> (?:\* )?<[@#!][^>]*>/.test(lines[0] ?? '')) return body;
  const end = lines.findIndex((line) => !line.startsWith('>'));
  if (end === -1) return '';
  return lines.slice(lines[end] === '' ? end + 1 : end).join('\n');
}

/** The words of a text message: from its HTML where there is any, else the body without reply fallback. */
function messageText(content: JsonObject): string {
  const html = content.format === 'org.matrix.custom.html' ? text(content.formatted_body) : null;
  const words = html === null ? '' : htmlToText(html);
  return words !== '' ? words : stripReplyFallback(text(content.body) ?? '').trim();
}

/** Names for the media kinds that a mesh can only be told about. */
const MEDIA: Readonly<Record<string, string>> = {
  'm.image': 'image',
  'm.file': 'file',
  'm.audio': 'audio',
  'm.video': 'video',
};

/** What an event says in one line of text; null for events that say nothing to the mesh. */
export function eventText(event: RoomEvent, content: JsonObject = event.content): string | null {
  if (event.type === 'm.sticker') return `[sticker] ${text(content.body) ?? ''}`.trim();
  if (event.type === 'm.poll.start' || event.type === 'org.matrix.msc3381.poll.start') return pollText(content);
  if (event.type !== 'm.room.message') return null;
  const type = text(content.msgtype) ?? 'm.text';
  if (type === 'm.emote') return `*${messageText(content)}*`;
  if (type === 'm.location') return locationText(content);
  const kind = MEDIA[type];
  if (kind !== undefined) return mediaText(kind, content);
  const words = messageText(content);
  return words === '' ? null : words;
}

function mediaText(kind: string, content: JsonObject): string {
  const info = isObject(content.info) ? content.info : {};
  const name = text(content.filename) ?? text(content.body) ?? '';
  // A body that differs from the file name is a caption (spec v1.10, "media captions").
  const caption = text(content.filename) !== null && content.body !== content.filename ? messageText(content) : '';
  const voice = content['org.matrix.msc3245.voice'] !== undefined || content['m.voice'] !== undefined;
  const seconds = typeof info.duration === 'number' ? `${Math.round(info.duration / 1000)} s` : '';
  const details = [voice ? '' : name, seconds, sizeText(info.size)].filter((part) => part !== '').join(', ');
  return `[${voice ? 'voice' : kind}${details === '' ? '' : ` ${details}`}]${caption === '' ? '' : ` ${caption}`}`;
}

function sizeText(bytes: JsonValue | undefined): string {
  if (typeof bytes !== 'number' || !Number.isFinite(bytes) || bytes < 0) return '';
  if (bytes < 1_000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${Math.round(bytes / 1_000)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function locationText(content: JsonObject): string {
  const match = /^geo:(-?\d+(?:\.\d+)?),(-?\d+(?:\.\d+)?)/.exec(text(content.geo_uri) ?? '');
  const point = match === null ? '' : `${Number(match[1]).toFixed(5)},${Number(match[2]).toFixed(5)}`;
  const words = stripReplyFallback(text(content.body) ?? '').trim();
  const described = words === '' || words.startsWith('geo:') ? '' : ` ${words}`;
  return `[location ${point}]${described}`;
}

/** Question and numbered options, from the stable or the unstable form of polls (MSC3381). */
function pollText(content: JsonObject): string {
  const poll = content['m.poll'] ?? content['m.poll.start'] ?? content['org.matrix.msc3381.poll.start'];
  if (!isObject(poll)) return '[poll]';
  const answers = Array.isArray(poll.answers) ? poll.answers : [];
  const options = answers.map((answer, index) => `${index + 1}) ${textOf(answer)}`).join(' ');
  return `[poll] ${textOf(poll.question)} ${options}`.trim();
}

function textOf(value: unknown): string {
  if (Array.isArray(value)) return textOf(value[0]);
  if (!isObject(value)) return '';
  return text(value.body) ?? text(value['org.matrix.msc1767.text']) ?? textOf(value['m.text'] ?? null);
}
