import type { SyncFilter } from './filter.ts';
import type { SyncToken } from './sync-token.ts';
import type { Session } from './types.ts';

/** A /sync call, read. */
export interface SyncRequest {
  readonly session: Session;
  readonly since: SyncToken | null;
  readonly fullState: boolean;
  readonly timeoutMs: number;
  readonly filter: SyncFilter;
  readonly signal: AbortSignal;
}
