/**
 * Refuses single buffers above a size in this thread: they lie outside the heap that `resourceLimits` bounds. It stops
 * a mistake before it happens; what gets past it is seen by the host, which looks at the thread's memory.
 */
export function guardBuffers(maxBytes: number): void {
  const check = (bytes: unknown): void => {
    if (typeof bytes === 'number' && bytes > maxBytes)
      throw new RangeError(`A plugin may not allocate ${bytes} bytes at once (limit ${maxBytes})`);
  };
  for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
    const original = Buffer[name];
    const guarded = (size: number, ...rest: []): Buffer => {
      check(size);
      return original(size, ...rest);
    };
    Object.defineProperty(Buffer, name, { value: guarded });
  }
  guardConstructor('ArrayBuffer', check, 1);
  for (const kind of ['Uint8', 'Int8', 'Uint8Clamped', 'Uint16', 'Int16', 'Uint32', 'Int32', 'Float32', 'Float64'])
    guardConstructor(
      `${kind}Array`,
      check,
      kind.endsWith('64') ? 8 : kind.endsWith('32') ? 4 : kind.endsWith('16') ? 2 : 1,
    );
}

function guardConstructor(name: string, check: (bytes: unknown) => void, bytesEach: number): void {
  const original: unknown = Reflect.get(globalThis, name);
  if (typeof original !== 'function') return;
  const guarded = new Proxy(original, {
    construct(target, args, newTarget) {
      const [length] = args as unknown[];
      if (typeof length === 'number') check(length * bytesEach);
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  Object.defineProperty(globalThis, name, { value: guarded, configurable: true, writable: true });
}
