import { describe, expect, test } from 'vitest';
import { done, dump, ended, open, restartable, write } from './indexeddb-steps.ts';

const plain = (db: IDBDatabase): void => {
  db.createObjectStore('a');
  db.createObjectStore('b', { keyPath: 'id' });
};

describe('transactions across a restart', () => {
  test('what was committed is there, in key order, also when the process only opens without a version', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 3, plain);
    const end = await write(db, (at) => {
      for (const key of [2, 1, 'b', 'a']) at('a').put(`value of ${key}`, key);
      at('b').add({ id: 'one', n: 1 });
    });
    expect(end).toBe('complete');
    const again = await open(await store.restart(), 'x');
    expect(again.version).toBe(3);
    expect(await dump(again)).toEqual({
      a: [1, 2, 'a', 'b'].map((key) => [key, `value of ${key}`]),
      b: [['one', { id: 'one', n: 1 }]],
    });
  });

  test('an aborted transaction leaves nothing, neither in memory nor on disk', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    await write(db, (at) => at('a').put('kept', 1));
    const transaction = db.transaction(['a', 'b'], 'readwrite');
    const end = ended(transaction);
    await done(transaction.objectStore('a').put('lost', 1));
    await done(transaction.objectStore('a').put('lost', 2));
    await done(transaction.objectStore('b').put({ id: 3 }));
    await done(transaction.objectStore('a').clear());
    transaction.abort();
    expect(await end).toBe('');
    const expected = { a: [[1, 'kept']], b: [] };
    expect(await dump(db)).toEqual(expected);
    expect(await dump(await open(await store.restart(), 'x'))).toEqual(expected);
  });

  test('a failed request aborts everything; with preventDefault only itself', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    await write(db, (at) => at('a').put('first', 1));
    const aborted = await write(db, (at) => {
      at('a').put('lost', 2);
      at('a').add('twice', 1);
    });
    expect(aborted).toBe('ConstraintError');
    const saved = await write(db, (at) => {
      at('a').put('kept', 3);
      at('a').add('twice', 1).onerror = (event) => {
        event.preventDefault();
        event.stopPropagation();
      };
      at('a').put('kept too', 4);
    });
    expect(saved).toBe('complete');
    expect((await dump(await open(await store.restart(), 'x'))).a).toEqual([
      [1, 'first'],
      [3, 'kept'],
      [4, 'kept too'],
    ]);
  });

  test('an exception in a listener aborts', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    const end = await write(db, (at) => {
      at('a').put('lost', 1).onsuccess = () => {
        throw new Error('of the caller');
      };
    });
    expect(end).toBe('AbortError');
    expect((await dump(await open(await store.restart(), 'x'))).a).toEqual([]);
  });

  test('clear, then put, in one transaction', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    await write(db, (at) => {
      for (let key = 0; key < 50; key += 1) at('a').put(key, key);
    });
    const again = await open(await store.restart(), 'x');
    await write(again, (at) => {
      at('a').put('gone', 100);
      at('a').clear();
      at('a').put('new', 7);
    });
    expect((await dump(await open(await store.restart(), 'x'))).a).toEqual([[7, 'new']]);
  });

  test('the last of many writes of a record counts, also delete after put and put after delete', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    await write(db, (at) => {
      for (let n = 0; n < 10; n += 1) at('a').put(n, 'often');
      at('a').put('x', 'deleted');
      at('a').delete('deleted');
      at('a').delete('back');
      at('a').put('y', 'back');
    });
    expect((await dump(await open(await store.restart(), 'x'))).a).toEqual([
      ['back', 'y'],
      ['often', 9],
    ]);
  });

  test('commit() by the caller and transactions one after the other', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    const first = db.transaction('a', 'readwrite');
    const firstEnd = ended(first);
    first.objectStore('a').put('early', 1);
    first.commit();
    const second = write(db, (at) => at('a').put('late', 1));
    expect([await firstEnd, await second]).toEqual(['complete', 'complete']);
    expect((await dump(await open(await store.restart(), 'x'))).a).toEqual([[1, 'late']]);
  });

  test('an abort while waiting for its turn takes nothing from the transaction before it', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    const first = db.transaction('a', 'readwrite');
    const firstEnd = ended(first);
    const second = db.transaction('a', 'readwrite');
    const secondEnd = ended(second);
    second.objectStore('a').put('never', 2);
    await done(first.objectStore('a').put('kept', 1));
    second.abort();
    first.objectStore('a').put('kept too', 3);
    expect([await firstEnd, await secondEnd]).toEqual(['complete', '']);
    const expected = [
      [1, 'kept'],
      [3, 'kept too'],
    ];
    expect((await dump(db)).a).toEqual(expected);
    expect((await dump(await open(await store.restart(), 'x'))).a).toEqual(expected);
  });

  test('the next in line sees nothing of an aborted one, even if it begins before the abort is told', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    const first = db.transaction('a', 'readwrite');
    first.objectStore('a').put('lost', 1).onsuccess = () => {
      first.abort();
      db.transaction('b');
    };
    const second = db.transaction('a', 'readwrite');
    const secondEnd = ended(second);
    const seen = done(second.objectStore('a').get(1));
    second.objectStore('a').put('kept', 2);
    expect([await seen, await secondEnd]).toEqual([undefined, 'complete']);
    expect((await dump(await open(await store.restart(), 'x'))).a).toEqual([[2, 'kept']]);
  });

  test('two transactions over different stores of one database run side by side', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    const lost = db.transaction('b', 'readwrite');
    const lostEnd = ended(lost);
    const kept = db.transaction('a', 'readwrite');
    const keptEnd = ended(kept);
    await Promise.all([done(lost.objectStore('b').put({ id: 1 })), done(kept.objectStore('a').put('kept', 1))]);
    lost.abort();
    expect([await lostEnd, await keptEnd]).toEqual(['', 'complete']);
    expect(await dump(await open(await store.restart(), 'x'))).toEqual({ a: [[1, 'kept']], b: [] });
  });

  test('two databases do not touch each other; deleteDatabase removes one for good', async () => {
    const store = await restartable();
    const left = await open(store.current(), 'left', 1, plain);
    const right = await open(store.current(), 'right', 2, plain);
    await write(left, (at) => at('a').put('left', 1));
    await write(right, (at) => at('a').put('right', 1));
    const factory = await store.restart();
    expect(await factory.databases()).toEqual([
      { name: 'left', version: 1 },
      { name: 'right', version: 2 },
    ]);
    await done(factory.deleteDatabase('left'));
    const after = await store.restart();
    expect(await after.databases()).toEqual([{ name: 'right', version: 2 }]);
    expect((await dump(await open(after, 'right'))).a).toEqual([[1, 'right']]);
    const anew = await open(after, 'left', 1, plain);
    expect(await dump(anew)).toEqual({ a: [], b: [] });
  });

  test('when complete is fired the data is on disk: a second reader of the file sees it', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, plain);
    const transaction = db.transaction('a', 'readwrite');
    transaction.objectStore('a').put('seen', 1);
    const { promise, resolve } = Promise.withResolvers<Buffer>();
    const { readFileSync } = await import('node:fs');
    transaction.addEventListener('complete', () => resolve(readFileSync(`${store.path}-wal`)));
    expect((await promise).includes(Buffer.from('seen'))).toBe(true);
  });
});
