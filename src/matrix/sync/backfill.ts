/**
 * Closing the gap of a limited timeline (Synapse caps one at 100 events): reads /messages backwards from the
 * timeline's start to the token we had. Client-server API section 10.5.
 */

import type { JsonObject } from '../../util/json.ts';
import type { MatrixApi } from '../api.ts';
import { path } from '../api.ts';
import { HttpFailure } from '../http.ts';
import { asNumber, asObject, asObjects, asString } from '../json-read.ts';
import { sinceOwnJoin } from './sync-answer.ts';

export interface Gap {
  readonly roomId: string;
  readonly prevBatch: string;
  /** null: it is not known any more; what we have, or age, ends the search. */
  readonly sinceToken: string | null;
  readonly self: { readonly userId: string; readonly wasInside: boolean };
}

export interface BackfillLimits {
  /** A page of events that were all sent before this wall time is the last one fetched. */
  readonly oldestMs: number;
  readonly maxEvents: number;
  /** An event we already have: everything before it too. */
  readonly isKnown: (eventId: string) => boolean;
}

export interface FilledGap {
  /** Oldest first. */
  readonly events: readonly JsonObject[];
  /** Member events that came along, for display names. */
  readonly members: readonly JsonObject[];
  /** False when there were too many, or the server refused. What is too old to be relayed is not missed. */
  readonly complete: boolean;
}

const PAGE_EVENTS = 100;

/** @throws HttpFailure for an outage or a rate limit: the whole answer is fetched again later */
export async function fillGap(api: MatrixApi, gap: Gap, limits: BackfillLimits): Promise<FilledGap> {
  const newestFirst: JsonObject[] = [];
  const members: JsonObject[] = [];
  const finish = (complete: boolean): FilledGap => ({ events: newestFirst.toReversed(), members, complete });
  let to = gap.sinceToken;
  for (let from = gap.prevBatch; ; ) {
    const page = await readPage(api, gap.roomId, { from, to });
    if (page === null && to === null) return finish(false);
    if (page === null) {
      to = null; // a server that does not take it here may do without
      continue;
    }
    members.push(...asObjects(page.state));
    const chunk = asObjects(page.chunk);
    for (const event of chunk) {
      if (limits.isKnown(asString(event.event_id) ?? '')) return finish(true);
      newestFirst.push(event);
      if (sinceOwnJoin([event], gap.self) !== null) return finish(true);
    }
    // A whole page, because a far server dates its events as it likes: one of them must not hide those before it.
    const isOld = (event: JsonObject): boolean => (asNumber(event.origin_server_ts) ?? 0) < limits.oldestMs;
    if (chunk.length > 0 && chunk.every(isOld)) return finish(true);
    const end = asString(page.end);
    if (end === null || end === from) return finish(true);
    if (newestFirst.length >= limits.maxEvents) return finish(false);
    from = end;
  }
}

async function readPage(
  api: MatrixApi,
  roomId: string,
  range: { readonly from: string; readonly to: string | null },
): Promise<JsonObject | null> {
  const { from, to } = range;
  const filter = JSON.stringify({ lazy_load_members: true });
  const query = { dir: 'b', from, ...(to === null ? {} : { to }), limit: String(PAGE_EVENTS), filter };
  try {
    return asObject(await api.request('GET', path`/rooms/${roomId}/messages`, { query }));
  } catch (error) {
    const refused = error instanceof HttpFailure && error.errcode !== null && [400, 403, 404].includes(error.status);
    if (refused) return null;
    throw error;
  }
}
