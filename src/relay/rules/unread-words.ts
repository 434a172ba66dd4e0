import type { Unreadable } from '../ports.ts';

/** What the sender of an encrypted message is told that we cannot read: what is wrong, and what they can do. */
export function unreadWords(reason: Unreadable): string {
  return `Not sent: ${WORDS[reason]}`;
}

const WORDS: Readonly<Record<Unreadable, string>> = {
  'no-key': 'this message cannot be decrypted here. It follows if its key comes in time.',
  refused: 'your client has refused the relay the key of this message.',
  'refused-unverified':
    'your client gives keys to verified devices only, and this relay is not verified. Verify it, or write again without that setting.',
  'unsigned-sender':
    'this relay reads verified devices only. Verify this device of yours in your client, then write again.',
  'no-crypto': 'this relay cannot read encrypted messages.',
};
