import type { HostCall, Job, Manifest, RuntimeSetup } from '../protocol.ts';

/** What a plugin's thread is given at its start. */
export interface WorkerInput {
  /** file: URL of the plugin's module. */
  readonly entry: string;
  readonly setup: RuntimeSetup;
  /** A single buffer larger than this is refused. */
  readonly maxBufferBytes: number;
}

export interface PlainError {
  readonly name: string;
  readonly message: string;
  readonly code: string | null;
}

export type ToWorker =
  | { readonly type: 'run'; readonly id: number; readonly job: Job }
  | { readonly type: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly type: 'refusal'; readonly id: number; readonly error: PlainError }
  | { readonly type: 'ping' }
  | { readonly type: 'stop' };

export type FromWorker =
  | { readonly type: 'ready'; readonly manifest: Manifest }
  /** `curable`: its code came up, its own `start` failed. */
  | { readonly type: 'failed'; readonly error: PlainError; readonly curable: boolean }
  | { readonly type: 'call'; readonly id: number; readonly call: HostCall }
  | { readonly type: 'done'; readonly id: number; readonly handled: boolean }
  | { readonly type: 'threw'; readonly id: number; readonly error: PlainError }
  /** Memory outside the heap, as V8 counts it for this thread. */
  | { readonly type: 'pong'; readonly externalBytes: number }
  | { readonly type: 'stopped' };

/** An error as data: classes do not cross threads. */
export function plainError(error: unknown): PlainError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), code: null };
  const code = 'code' in error && typeof error.code === 'string' ? error.code : null;
  return { name: error.name, message: error.message, code };
}

/** Back to an error, with its name and code. */
export function revivedError({ name, message, code }: PlainError): Error {
  return Object.assign(new Error(message), { name }, code === null ? {} : { code });
}
