import { Admin } from '@meshtastic/protobufs';
import { parseMessage } from './parse.ts';

/**
 * Whether an admin message is an order that a person gave: apps read settings, and set the clock at every connect, by
 * themselves. What this schema does not know counts as one.
 */
export function changesSettings(payload: Uint8Array): boolean {
  const kind = parseMessage(Admin.AdminMessageSchema, payload)?.payloadVariant.case;
  return kind === undefined || !(kind === 'setTimeOnly' || kind.startsWith('get'));
}
