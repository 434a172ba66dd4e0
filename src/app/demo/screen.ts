/** What the audience of the demo sees: one line per happening. Holds the counts; one per demo. */

import type { ReadMessage } from '../../matrix/crypto/encrypting-user.ts';
import type { Homeserver } from '../../sandbox/homeserver/homeserver.ts';
import type { StoredEvent } from '../../sandbox/homeserver/types.ts';

const NAME_WIDTH = 13;
/** Enough to see that there is nothing to see. */
const CIPHERTEXT_CHARACTERS = 40;

export class Screen {
  readonly #print: (line: string) => void;
  #toMatrix = 0;
  #toMesh = 0;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  get toMatrix(): number {
    return this.#toMatrix;
  }

  get toMesh(): number {
    return this.#toMesh;
  }

  /** A new exchange begins. */
  pause(): void {
    this.#print('');
  }

  meshSays(name: string, text: string): void {
    this.#print(`  mesh   » ${name.padEnd(NAME_WIDTH)} ${text}`);
  }

  meshHears(text: string): void {
    this.#toMesh += 1;
    this.#print(`  mesh   « ${'relay'.padEnd(NAME_WIDTH)} ${text}`);
  }

  roomSays(text: string): void {
    this.#print(`  room   » ${'@you'.padEnd(NAME_WIDTH)} ${text}`);
  }

  /** The person reads it; before that, what the server made of it. */
  roomHears(message: ReadMessage, homeserver: Homeserver): void {
    if (!message.isReaction) {
      this.#toMatrix += 1;
      this.serverHolds(homeserver, message);
    }
    this.#print(`  room   « ${shortName(message.sender)} ${message.body}`);
  }

  serverHolds(
    homeserver: Homeserver,
    { roomId, eventId }: { readonly roomId: string; readonly eventId: string },
  ): void {
    const event = homeserver.timeline(roomId).find((stored) => stored.eventId === eventId);
    if (event === undefined) return;
    const { ciphertext, body } = event.content;
    const hidden = typeof ciphertext === 'string';
    const seen = hidden ? `${ciphertext.slice(0, CIPHERTEXT_CHARACTERS)}…` : `IN PLAIN TEXT: ${String(body)}`;
    this.#print(`  server · ${shortName(event.sender)} ${seen}`);
  }
}

/** Messages of a room as the server holds them. */
export function storedMessages(events: readonly StoredEvent[]): { readonly encrypted: number; readonly plain: number } {
  const messages = events.filter(({ stateKey }) => stateKey === null);
  const encrypted = messages.filter(({ type }) => type === 'm.room.encrypted').length;
  return { encrypted, plain: messages.length - encrypted };
}

function shortName(userId: string): string {
  return (userId.split(':')[0] ?? '').padEnd(NAME_WIDTH);
}
