import type { Logger } from '../../util/logger.ts';
import type { Database } from '../database.ts';

/** One step of the schema; it runs in a transaction that also sets `user_version`. Never changed once released. */
export interface Migration {
  /** The `user_version` after it: 1, 2, 3 … without gaps. */
  readonly version: number;
  readonly name: string;
  apply(db: Database, log: Logger): void;
}
