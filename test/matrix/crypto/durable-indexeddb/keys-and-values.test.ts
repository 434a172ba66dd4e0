import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeKey, encodeKey, type StoredKey } from '../../../../src/matrix/crypto/durable-indexeddb/key-codec.ts';
import { decodeValue, encodeValue } from '../../../../src/matrix/crypto/durable-indexeddb/value-codec.ts';
import { done, dump, open, restartable, write } from './indexeddb-steps.ts';

const anyKey: fc.Arbitrary<StoredKey> = fc.letrec<{ key: StoredKey; parts: readonly StoredKey[] }>((tie) => ({
  key: fc.oneof(
    { maxDepth: 3 },
    fc.double({ noNaN: true }).map((value) => value + 0),
    fc.integer(),
    fc.date({ noInvalidDate: true }),
    fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((unit) => String.fromCharCode(unit)) }),
    fc.string({ unit: 'grapheme-ascii' }),
    fc.uint8Array({ maxLength: 20 }).map((bytes) => Uint8Array.from(bytes).buffer),
    tie('parts'),
  ),
  parts: fc.array(tie('key'), { maxLength: 4 }),
})).key;

describe('key codec', () => {
  test('reads back every key', () => {
    fc.assert(
      fc.property(anyKey, (key) => {
        expect(decodeKey(encodeKey(key))).toEqual(key);
      }),
    );
  });

  test('orders bytes as IndexedDB orders keys', async () => {
    const store = await restartable();
    const factory = store.current();
    fc.assert(
      fc.property(anyKey, anyKey, (a, b) => {
        const bytes = Math.sign(Buffer.compare(encodeKey(a), encodeKey(b)));
        expect(bytes).toBe(factory.cmp(a, b));
      }),
      { numRuns: 1000 },
    );
  });

  test('-0 and 0 are one key', () => {
    expect(encodeKey(-0)).toEqual(encodeKey(0));
  });

  test.each([
    [[]],
    [[0x99, 1]],
    [[0x30, 0x41]],
    [[0x10, 1, 2]],
    [[0x50, 0x10]],
    [[0x30, 0, 0]],
  ])('refuses %j', (bytes) => {
    expect(() => decodeKey(Buffer.from(bytes))).toThrow(RangeError);
  });
});

describe('value codec', () => {
  test('reads back whatever structured clone takes', () => {
    const value = fc.anything({
      withBigInt: true,
      withDate: true,
      withMap: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    fc.assert(
      fc.property(value, (any) => {
        expect(decodeValue(encodeValue(any))).toEqual(structuredClone(any));
      }),
    );
  });

  test('a view keeps its own buffer, two views of one buffer still share it', () => {
    const buffer = new ArrayBuffer(16);
    const value = { a: new Uint8Array(buffer, 4, 2), b: new Uint16Array(buffer, 8, 2) };
    const read = decodeValue(encodeValue(value)) as typeof value;
    expect(read.a.buffer.byteLength).toBe(16);
    expect(read.a.byteOffset).toBe(4);
    expect(read.b.buffer).toBe(read.a.buffer);
  });

  test('refuses a function', () => {
    expect(() => encodeValue({ f: () => 1 })).toThrow(DOMException);
  });
});

test('structured and binary values and all kinds of keys survive a restart', async () => {
  const store = await restartable();
  const db = await open(store.current(), 'x', 1, (made) => {
    made.createObjectStore('out of line');
    made.createObjectStore('compound', { keyPath: ['user', 'device.id'] });
    made.createObjectStore('nested', { keyPath: 'a.b' });
  });
  const holes: number[] = [];
  holes[2] = 3;
  const cycle: Record<string, unknown> = {
    at: new Date(5),
    big: 10n ** 30n,
    re: /x/gi,
    none: undefined,
    nan: Number.NaN,
  };
  cycle.self = cycle;
  const values = [
    new Map([[{ a: 1 }, new Set([1, 'two'])]]),
    new Uint8Array([1, 2, 3]),
    new Float64Array([0.5]),
    new DataView(new ArrayBuffer(3)),
    new ArrayBuffer(4),
    holes,
    cycle,
    null,
    'lone \ud800 surrogate',
    new RangeError('kept'),
    Object('boxed'),
  ];
  const keys: IDBValidKey[] = [
    -1.5,
    new Date(0),
    's',
    '\u0000',
    '\ud800',
    new Uint8Array([0, 255]),
    [],
    ['a', [1]],
    Infinity,
    '',
    'end',
  ];
  await write(db, (at) => {
    for (const [n, value] of values.entries()) at('out of line').put(value, keys[n]);
    at('compound').put({ user: '@a:b', device: { id: 'D' }, list: [1] });
    at('nested').put({ a: { b: new Date(9) } });
  });
  const before = await dump(db);
  const again = await open(await store.restart(), 'x');
  expect(await dump(again)).toEqual(before);
  expect(before['out of line']).toHaveLength(11);
  const get = (name: string, key: IDBValidKey): Promise<unknown> =>
    done(again.transaction(name).objectStore(name).get(key));
  expect(await get('compound', ['@a:b', 'D'])).toEqual({ user: '@a:b', device: { id: 'D' }, list: [1] });
  expect(await get('out of line', new Uint8Array([0, 255]).buffer)).toEqual(
    before['out of line']?.find(([key]) => key instanceof ArrayBuffer)?.[1],
  );
});

test('a value that cannot be stored fails its request, and nothing of its transaction is kept', async () => {
  const store = await restartable();
  const db = await open(store.current(), 'x', 1, (made) => made.createObjectStore('a'));
  const end = await write(db, (at) => {
    at('a').put('lost', 1);
    at('a').put(new Blob(['x']), 2);
  });
  expect(end).toBe('DataCloneError');
  expect((await dump(await open(await store.restart(), 'x'))).a).toEqual([]);
});

test('what a reader gets is a copy', async () => {
  const store = await restartable();
  const db = await open(store.current(), 'x', 1, (made) => made.createObjectStore('a'));
  const value = { list: [1] };
  await write(db, (at) => {
    at('a').put(value, 1);
    value.list.push(2);
  });
  const read = (): Promise<{ list: number[] }> => done(db.transaction('a').objectStore('a').get(1));
  (await read()).list.push(3);
  expect(await read()).toEqual({ list: [1] });
});
