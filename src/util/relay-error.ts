/** What may be done about a failure. `after` waits at least that many milliseconds; `later` uses the caller's backoff. */
export type RetryPolicy =
  | { readonly kind: 'never' }
  | { readonly kind: 'later' }
  | { readonly kind: 'after'; readonly ms: number };

export const RETRY_NEVER: RetryPolicy = { kind: 'never' };
export const RETRY_LATER: RetryPolicy = { kind: 'later' };

/** Areas: CONFIG_, RADIO_, MATRIX_, CRYPTO_, STORE_, PLUGIN_, CONTROL_, then what went wrong, in capitals. */
export type ErrorCode = `${'CONFIG' | 'RADIO' | 'MATRIX' | 'CRYPTO' | 'STORE' | 'PLUGIN' | 'CONTROL'}_${string}`;

export interface RelayErrorOptions {
  readonly retry?: RetryPolicy;
  /** False when the other side may have taken the message although we saw an error (a cut in mid-answer). Default true. */
  readonly certain?: boolean;
  /** Plain words for the person whose message it was; absent when it is none of their business. */
  readonly userText?: string;
  readonly cause?: unknown;
}

/**
 * The one error type that crosses folder borders. The adapter that meets a failure classifies it once; everybody
 * else branches on `code` and `retry`, never on the text. Default policy: retry never.
 */
export class RelayError extends Error {
  override readonly name = 'RelayError';
  readonly code: ErrorCode;
  readonly retry: RetryPolicy;
  readonly certain: boolean;
  readonly userText: string | null;

  constructor(code: ErrorCode, message: string, options: RelayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.retry = options.retry ?? RETRY_NEVER;
    this.certain = options.certain ?? true;
    this.userText = options.userText ?? null;
  }
}

/** The code that the system, SQLite or we gave an error, as `ENOENT`; '' when it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}

/** The message of anything that was thrown, for a log line or a person. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
