import { parseSyncFilter } from '../filter.ts';
import type { Router } from '../router.ts';
import { sync } from '../sync.ts';
import { parseSyncToken } from '../sync-token.ts';
import type { World } from '../world.ts';
import { filterDefinition } from './account.ts';

const MAX_TIMEOUT_MS = 600_000;

/** The long poll. */
export function addSyncRoutes(router: Router, world: World): void {
  router.on('GET', '/_matrix/client/v3/sync', async (request, session) => {
    const { query } = request;
    const since = query.get('since');
    const definition = filterDefinition(world.accounts.need(session.userId), query.get('filter'));
    const device = `${session.userId}\0${session.deviceId}`;
    const key = ['since', 'timeout', 'filter', 'full_state'].map((name) => query.get(name) ?? '').join('\0');
    const known = world.syncCache.get(device, key);
    if (known !== null) return { json: known };
    const body = await sync(world, {
      session,
      since: since === null || since === '' ? null : parseSyncToken(since),
      fullState: query.get('full_state') === 'true',
      timeoutMs: Math.min(Number(query.get('timeout') ?? 0) || 0, MAX_TIMEOUT_MS),
      filter: parseSyncFilter(definition),
      signal: request.signal,
    });
    if (body.next_batch !== since && !request.signal.aborted) {
      world.syncCache.put(device, key, { answer: body, forMs: world.tuning.syncCacheMs });
    }
    return { json: body };
  });
}
