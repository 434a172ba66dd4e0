import type { JsonObject } from '../../util/json.ts';
import type { Session } from './types.ts';

/**
 * Answers by transaction: the same device, endpoint and transaction id get the same answer. One per homeserver.
 * A failed request is not remembered, so that a retry after a 429 is processed.
 */
export class Transactions {
  readonly #answers = new Map<string, JsonObject>();

  once(session: Session, path: string, process: () => JsonObject): JsonObject {
    const key = `${session.userId}\0${session.deviceId}\0${path}`;
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    const answer = process();
    this.#answers.set(key, answer);
    return answer;
  }
}
