import { readFileSync } from 'node:fs';

export interface CapturedFrame {
  readonly dir: 'toRadio' | 'fromRadio';
  readonly bytes: Uint8Array;
  /** The official client's decoding (protobuf JSON). */
  readonly msg: Readonly<Record<string, unknown>>;
}

/** Transcripts of a real firmware 2.7.26; node ids and keys belong to throw-away nodes. */
export const CAPTURES = [
  'A-config-and-dm-with-ack',
  'B-config-nonce-69420',
  'B-config-nonce-69421',
  'B-receives-dm',
] as const;

export function capture(name: (typeof CAPTURES)[number]): CapturedFrame[] {
  const text = readFileSync(new URL(`./fixtures/${name}.jsonl`, import.meta.url), 'utf8');
  return text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
    .map((entry) => ({ dir: entry.dir, bytes: Uint8Array.from(Buffer.from(entry.hex, 'hex')), msg: entry.msg }));
}

export function fromRadioFrames(name: (typeof CAPTURES)[number]): CapturedFrame[] {
  return capture(name).filter((frame) => frame.dir === 'fromRadio');
}
