import type { Migration } from './migration.ts';

/** Why a message of the inbox is set aside: no rule could decide on it. */
export const parkedMessages: Migration = {
  version: 3,
  name: 'messages set aside',
  apply(db) {
    db.script('ALTER TABLE inbox ADD COLUMN parked TEXT');
  },
};
