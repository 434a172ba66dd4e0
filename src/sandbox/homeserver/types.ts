import type { JsonObject } from '../../util/json.ts';

/** An event as the homeserver keeps it. `pos` is its place in the one stream of the server. */
export interface StoredEvent {
  readonly pos: number;
  readonly eventId: string;
  readonly roomId: string;
  readonly type: string;
  readonly sender: string;
  readonly stateKey: string | null;
  readonly originServerTs: number;
  /** The event that this state event replaced. */
  readonly replaces: StoredEvent | null;
  /** Who sent it with which transaction id: shown to that device alone. */
  readonly transaction: { readonly deviceId: string; readonly id: string } | null;
  /** Room version 11 keeps `redacts` in the content; clients of older versions look at the top level. */
  readonly redacts: string | null;
  content: JsonObject;
  redactedBecause: StoredEvent | null;
}

export interface NewEvent {
  readonly type: string;
  readonly sender: string;
  readonly content: JsonObject;
  readonly stateKey?: string | undefined;
  readonly redacts?: string | undefined;
  readonly transaction?: { readonly deviceId: string; readonly id: string } | undefined;
  /** Milliseconds; the server's clock when absent. */
  readonly originServerTs?: number | undefined;
}

/** The person and device behind an access token. */
export interface Session {
  readonly userId: string;
  readonly deviceId: string;
  readonly accessToken: string;
}

export type Membership = 'invite' | 'join' | 'leave' | 'ban' | 'knock';
