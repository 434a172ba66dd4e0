import type { Logger } from '../util/logger.ts';

/** The logger interface of matrix-js-sdk, written out as it wants unbound functions. */
interface SdkLogger {
  trace(this: void, ...parts: readonly unknown[]): void;
  debug(this: void, ...parts: readonly unknown[]): void;
  info(this: void, ...parts: readonly unknown[]): void;
  warn(this: void, ...parts: readonly unknown[]): void;
  error(this: void, ...parts: readonly unknown[]): void;
  getChild(namespace: string): SdkLogger;
}

/**
 * What the SDK has to say, as debug lines: it speaks per event and per request, and its parts may hold content and
 * ids, so only sentences and error names are kept. Failures that matter reach the operator through the sync loop.
 */
export function sdkLogger(logger: Logger, namespace = ''): SdkLogger {
  const note =
    (level: string) =>
    (...parts: readonly unknown[]): void => {
      const sentence = parts.map((part) => (typeof part === 'string' ? part : part instanceof Error ? part.name : '…'));
      logger.debug('matrix-js-sdk', { level, namespace, sentence: sentence.join(' ').slice(0, 300) });
    };
  const nothing = (): void => undefined;
  return {
    trace: nothing,
    debug: nothing,
    info: nothing,
    warn: note('warn'),
    error: note('error'),
    getChild: (child) => sdkLogger(logger, namespace === '' ? child : `${namespace}.${child}`),
  };
}

/** What `matrix-js-sdk/lib/logger.js` exports, beyond its types: a logger of the `loglevel` package. */
interface RootLogger {
  methodFactory: () => () => void;
  rebuild(): void;
}

/**
 * The SDK module, its own root logger silenced before any other part of it is loaded: parts of the SDK do not use the
 * logger they are given, and would write to our standard output.
 */
export async function loadSdk(): Promise<typeof import('matrix-js-sdk')> {
  const { logger } = await import('matrix-js-sdk/lib/logger.js');
  const root = logger as unknown as RootLogger;
  root.methodFactory = () => () => undefined;
  root.rebuild();
  return import('matrix-js-sdk');
}
