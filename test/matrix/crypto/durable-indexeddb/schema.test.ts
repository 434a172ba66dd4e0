import { describe, expect, test } from 'vitest';
import { done, dump, ended, open, restartable, write } from './indexeddb-steps.ts';

async function walk(
  request: IDBRequest<IDBCursorWithValue | null>,
  step: (cursor: IDBCursorWithValue) => void,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  request.onerror = () => reject(request.error);
  request.onsuccess = () => {
    const cursor = request.result;
    if (cursor === null) return resolve();
    step(cursor);
    cursor.continue();
  };
  await promise;
}

const numbered = (db: IDBDatabase): void => {
  const store = db.createObjectStore('n', { keyPath: 'id' });
  store.createIndex('by group', 'group');
  store.createIndex('by tag', 'tags', { multiEntry: true });
  store.createIndex('by name', 'name', { unique: true });
  store.createIndex('by both', ['group', 'name']);
};
const row = (id: number): object => ({ id, group: id % 3, name: `name ${id}`, tags: [`t${id % 2}`, `u${id % 4}`] });

describe('indexes, cursors and ranges across a restart', () => {
  test('indexes answer as before, and unique ones still refuse', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, numbered);
    await write(db, (at) => {
      for (let id = 0; id < 20; id += 1) at('n').put(row(id));
    });
    const ask = async (from: IDBDatabase): Promise<unknown[]> => {
      const n = from.transaction('n').objectStore('n');
      return Promise.all([
        done(n.index('by group').getAllKeys(1)),
        done(n.index('by tag').getAllKeys('u3')),
        done(n.index('by tag').count('t0')),
        done(n.index('by name').get('name 7')),
        done(n.index('by both').getKey([2, 'name 5'])),
        done(n.index('by both').getAllKeys(store.range().bound([1], [2]))),
      ]);
    };
    const before = await ask(db);
    const again = await open(await store.restart(), 'x');
    expect(await ask(again)).toEqual(before);
    const names = [...again.transaction('n').objectStore('n').indexNames];
    expect(names).toEqual(['by both', 'by group', 'by name', 'by tag']);
    expect(await write(again, (at) => at('n').put({ id: 99, name: 'name 7' }))).toBe('ConstraintError');
    expect(await write(again, (at) => at('n').put({ ...row(7), group: 50 }))).toBe('complete');
    const moved = await open(await store.restart(), 'x');
    const index = moved.transaction('n').objectStore('n').index('by group');
    expect(await done(index.getAllKeys(50))).toEqual([7]);
    expect(await done(moved.transaction('n').objectStore('n').index('by group').getAllKeys(1))).not.toContain(7);
  });

  test.each([
    ['an only', (range: typeof IDBKeyRange) => range.only(5)],
    ['a lower, open', (range: typeof IDBKeyRange) => range.lowerBound(15, true)],
    ['an upper', (range: typeof IDBKeyRange) => range.upperBound(4)],
    ['a bound', (range: typeof IDBKeyRange) => range.bound(3, 17, true, true)],
    ['an empty', (range: typeof IDBKeyRange) => range.bound(100, 200)],
  ])('delete by %s range', async (_, rangeOf) => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, numbered);
    await write(db, (at) => {
      for (let id = 0; id < 20; id += 1) at('n').put(row(id));
    });
    const again = await open(await store.restart(), 'x');
    await write(again, (at) => at('n').delete(rangeOf(store.range())));
    const left = await dump(again);
    expect(await dump(await open(await store.restart(), 'x'))).toEqual(left);
    expect(left.n?.length).toBe(20 - [...Array(20).keys()].filter((id) => inRange(rangeOf(store.range()), id)).length);
  });

  test('a cursor updates and deletes, over the store and over an index, in both directions', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, numbered);
    await write(db, (at) => {
      for (let id = 0; id < 12; id += 1) at('n').put(row(id));
    });
    const again = await open(await store.restart(), 'x');
    const transaction = again.transaction('n', 'readwrite');
    const end = ended(transaction);
    const n = transaction.objectStore('n');
    await walk(n.openCursor(null, 'prev'), (cursor) => {
      if (cursor.key === 11) cursor.delete();
      if (cursor.key === 10) cursor.update({ ...cursor.value, name: 'renamed' });
    });
    await walk(n.index('by group').openCursor(0), (cursor) => cursor.delete());
    await walk(n.index('by tag').openCursor('u1', 'next'), (cursor) => cursor.update({ ...cursor.value, seen: true }));
    expect(await end).toBe('complete');
    const { n: rows } = await dump(await open(await store.restart(), 'x'));
    expect(rows?.map(([key]) => key)).toEqual([1, 2, 4, 5, 7, 8, 10]);
    expect(rows?.at(-1)?.[1]).toMatchObject({ name: 'renamed' });
    expect(rows?.filter(([, value]) => (value as { seen?: true }).seen).map(([key]) => key)).toEqual([1, 5]);
  });
});

function inRange(range: IDBKeyRange, key: number): boolean {
  return range.includes(key);
}

describe('key generators across a restart', () => {
  const made = (db: IDBDatabase): void => {
    db.createObjectStore('g', { autoIncrement: true });
    db.createObjectStore('p', { autoIncrement: true, keyPath: 'in.id' });
  };
  const add = async (db: IDBDatabase, value: unknown, key?: number): Promise<IDBValidKey> =>
    done(db.transaction('g', 'readwrite').objectStore('g').add(value, key));

  test('go on where they were, also past deleted records and chosen keys', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, made);
    expect([await add(db, 'a'), await add(db, 'b'), await add(db, 'c', 10.5)]).toEqual([1, 2, 10.5]);
    const again = await open(await store.restart(), 'x');
    expect(await add(again, 'd')).toBe(11);
    await write(again, (at) => at('g').clear());
    const third = await open(await store.restart(), 'x');
    expect(await add(third, 'e')).toBe(12);
  });

  test('put their key into the value', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, made);
    await write(db, (at) => {
      at('p').add({ in: {}, n: 1 });
      at('p').add({ n: 2 });
    });
    expect((await dump(await open(await store.restart(), 'x'))).p).toEqual([
      [1, { in: { id: 1 }, n: 1 }],
      [2, { in: { id: 2 }, n: 2 }],
    ]);
  });

  test('an abort takes them back, in memory as on disk', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, made);
    await add(db, 'a');
    const transaction = db.transaction('g', 'readwrite');
    const end = ended(transaction);
    await done(transaction.objectStore('g').add('lost', 500));
    await done(transaction.objectStore('g').add('lost'));
    transaction.abort();
    await end;
    expect(await add(db, 'b')).toBe(2);
    expect(await add(await open(await store.restart(), 'x'), 'c')).toBe(3);
  });

  test('at the end of the numbers they refuse', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, made);
    await add(db, 'last', 2 ** 53);
    const again = await open(await store.restart(), 'x');
    expect(await write(again, (at) => at('g').add('too many'))).toBe('ConstraintError');
  });
});

describe('version changes across a restart', () => {
  test('stores and indexes made, renamed and removed together with data', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 1, (made) => {
      made.createObjectStore('old').put('data', 1);
      made.createObjectStore('removed').put('gone', 1);
      made.createObjectStore('indexed').createIndex('i', 'i');
    });
    db.close();
    const factory = await store.restart();
    const seen: number[] = [];
    const up = await open(factory, 'x', 5, (made, transaction, oldVersion) => {
      seen.push(oldVersion);
      transaction.objectStore('old').name = 'renamed';
      transaction.objectStore('renamed').put('more', 2);
      made.deleteObjectStore('removed');
      made.createObjectStore('removed', { keyPath: 'k' }).put({ k: 'same name' });
      transaction.objectStore('indexed').deleteIndex('i');
      transaction.objectStore('indexed').createIndex('j', ['a', 'b'], { unique: true });
    });
    expect(seen).toEqual([1]);
    const before = await dump(up);
    const again = await open(await store.restart(), 'x');
    expect(again.version).toBe(5);
    expect(await dump(again)).toEqual(before);
    expect(before).toEqual({
      indexed: [],
      removed: [['same name', { k: 'same name' }]],
      renamed: [
        [1, 'data'],
        [2, 'more'],
      ],
    });
    const index = again.transaction('indexed').objectStore('indexed').index('j');
    expect([index.keyPath, index.unique, index.multiEntry]).toEqual([['a', 'b'], true, false]);
  });

  test('an aborted upgrade leaves version, schema and data', async () => {
    const store = await restartable();
    const db = await open(store.current(), 'x', 2, (made) => made.createObjectStore('a').put('kept', 1));
    db.close();
    const attempt = open(store.current(), 'x', 3, (made, transaction) => {
      transaction.objectStore('a').put('lost', 1);
      made.createObjectStore('b');
      transaction.abort();
    });
    await expect(attempt).rejects.toMatchObject({ name: 'AbortError' });
    const again = await open(await store.restart(), 'x');
    expect(again.version).toBe(2);
    expect(await dump(again)).toEqual({ a: [[1, 'kept']] });
  });

  test('an aborted first upgrade leaves no database', async () => {
    const store = await restartable();
    const attempt = open(store.current(), 'x', 1, (made, transaction) => {
      made.createObjectStore('a');
      transaction.abort();
    });
    await expect(attempt).rejects.toMatchObject({ name: 'AbortError' });
    expect(await (await store.restart()).databases()).toEqual([]);
  });

  test('a lower version is refused, and a store can be deleted with its database and made anew', async () => {
    const store = await restartable();
    (await open(store.current(), 'x', 4, (made) => made.createObjectStore('a').put(1, 1))).close();
    const factory = await store.restart();
    await expect(open(factory, 'x', 3)).rejects.toMatchObject({ name: 'VersionError' });
    const deleted = done(factory.deleteDatabase('x'));
    const anew = open(factory, 'x', 1, (made) => made.createObjectStore('b', { autoIncrement: true }).put('new'));
    await deleted;
    (await anew).close();
    expect(await dump(await open(await store.restart(), 'x'))).toEqual({ b: [[1, 'new']] });
  });

  test('a database name and store name of any UTF-16', async () => {
    const store = await restartable();
    const name = 'a\ud800\u0000"\\é';
    await open(store.current(), name, 1, (made) => made.createObjectStore(name).put('v', name));
    const again = await open(await store.restart(), name);
    expect(await dump(again)).toEqual({ [name]: [[name, 'v']] });
  });
});
