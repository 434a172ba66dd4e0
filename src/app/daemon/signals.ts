export interface Signals {
  /** Resolves at the first request to stop: null, or the failure that asked for it. */
  readonly first: Promise<Failure | null>;
  /** Aborts at the second request. */
  readonly second: AbortSignal;
  /** Stops because of a failure. */
  fail(error: unknown): void;
  /** What SIGHUP does; nothing until then. */
  onReload(reload: () => void): void;
  release(): void;
}

export interface Failure {
  readonly error: unknown;
}

/**
 * Signal handlers come first thing, so that a stop during start is a stop. An exception nobody caught, or a promise
 * nobody awaited, ends the process the same way: what is accepted is on disk, so a clean stop loses nothing.
 */
export function catchSignals(outer: AbortSignal | undefined): Signals {
  const { promise: first, resolve } = Promise.withResolvers<Failure | null>();
  const second = new AbortController();
  let count = 0;
  let reload = (): void => undefined;
  const request = (failure: Failure | null): void => {
    count += 1;
    if (count > 1) second.abort();
    resolve(failure);
  };
  const stop = (): void => request(null);
  const fail = (error: unknown): void => {
    // Further failures while stopping are echoes of the first; they must not cut the stop short.
    if (count === 0) request({ error });
  };
  const hangUp = (): void => reload();
  const handlers = [
    ['SIGINT', stop],
    ['SIGTERM', stop],
    ['SIGHUP', hangUp],
    ['uncaughtException', fail],
    ['unhandledRejection', fail],
  ] as const;
  for (const [name, handler] of handlers) process.on(name, handler);
  if (outer?.aborted) stop();
  outer?.addEventListener('abort', stop, { once: true });
  return {
    first,
    second: second.signal,
    fail,
    onReload: (action) => {
      reload = action;
    },
    release: () => {
      for (const [name, handler] of handlers) process.off(name, handler);
      outer?.removeEventListener('abort', stop);
    },
  };
}
