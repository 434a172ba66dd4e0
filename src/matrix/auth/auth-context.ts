import type { Clock } from '../../util/clock.ts';
import type { HttpSend } from '../http.ts';

/** What every request of a login needs. */
export interface AuthContext {
  readonly http: HttpSend;
  /** Of one request. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal?: AbortSignal | undefined;
}
