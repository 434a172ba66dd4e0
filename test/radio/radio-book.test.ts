import { create, toBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import { describe, expect, it } from 'vitest';
import { keyId } from '../../src/radio/codec/channel-key.ts';
import { decodeFromRadio } from '../../src/radio/codec/from-radio.ts';
import { RadioBook } from '../../src/radio/radio-book.ts';

const KEY = Uint8Array.from({ length: 32 }, (_, index) => index);

function bookWith(channels: readonly { readonly role: number; readonly name: string; readonly psk: Uint8Array }[]) {
  const book = new RadioBook();
  book.apply({ kind: 'my-info', nodeNum: 16, bootCount: 0 });
  for (const [index, { role, ...settings }] of channels.entries()) {
    const value = { payloadVariant: { case: 'channel', value: { index, role, settings } } } as const;
    const message = decodeFromRadio(toBinary(Mesh.FromRadioSchema, create(Mesh.FromRadioSchema, value)));
    if (message !== null) book.apply(message);
  }
  return (book.info()?.channels ?? []).map((channel) => channel.keyId);
}

describe('the keys of channels', () => {
  it('are those the radio encrypts with: a secondary without one uses the primary’s', () => {
    const none = new Uint8Array(0);
    const off = Uint8Array.of(0);
    const channels = [
      { role: 1, name: '', psk: KEY },
      { role: 2, name: 'borrows', psk: none },
      { role: 2, name: 'plain', psk: off },
      { role: 2, name: 'own', psk: Uint8Array.of(2) },
      { role: 0, name: '', psk: none },
    ];
    expect(bookWith(channels)).toEqual([keyId(KEY), keyId(KEY), null, keyId(Uint8Array.of(2)), null]);
  });

  it('are none where the primary has none', () => {
    const none = new Uint8Array(0);
    const channels = [
      { role: 1, name: '', psk: none },
      { role: 2, name: 'borrows', psk: none },
    ];
    expect(bookWith(channels)).toEqual([null, null]);
  });
});
