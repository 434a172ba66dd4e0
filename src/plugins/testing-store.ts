import type { Json } from './api-data.ts';
import type { HostCall, StoreChange } from './protocol.ts';

/** The store of a plugin under test. @throws Error for a call that is none of the store's */
export function answerStore(store: Map<string, Json>, call: HostCall): unknown {
  const apply = (change: StoreChange): unknown =>
    'set' in change ? store.set(change.set, change.value) : store.delete(change.delete);
  switch (call.op) {
    case 'store.get':
      return store.get(call.key) ?? null;
    case 'store.set':
      return void store.set(call.key, call.value);
    case 'store.delete':
      return void store.delete(call.key);
    case 'store.append': {
      const known = store.get(call.key);
      const list = Array.isArray(known) ? (known as readonly Json[]) : [];
      return void store.set(call.key, [...list, call.item].slice(-call.keepNewest));
    }
    case 'store.batch':
      return call.changes.forEach(apply);
    case 'store.all':
      return new Map(store);
    case 'store.usedBytes':
      return JSON.stringify([...store]).length;
    default:
      throw new Error(`${call.op} is not known to the test world`);
  }
}
