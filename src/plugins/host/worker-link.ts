import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Clock } from '../../util/clock.ts';
import { RETRY_LATER, RETRY_NEVER, RelayError, type RetryPolicy } from '../../util/relay-error.ts';
import type { HostPort, Job, Manifest, RuntimeSetup } from '../protocol.ts';
import { type FromWorker, plainError, revivedError, type ToWorker, type WorkerInput } from '../worker/messages.ts';
import type { PluginLink } from './types.ts';

export interface WorkerLimits {
  /** JavaScript heap. */
  readonly heapMb: number;
  /** Buffers and the like, outside the heap. */
  readonly externalMb: number;
  /** From start to `ready`. */
  readonly startMs: number;
  /** How often the thread is looked at. */
  readonly pingMs: number;
  /** Without an answer for so long, it hangs. */
  readonly hangMs: number;
  /** Calls to the relay within one ping interval: more is a flood that would cost us the event loop. */
  readonly maxCalls: number;
}

export const WORKER_LIMITS: WorkerLimits = {
  heapMb: 48,
  externalMb: 48,
  startMs: 20_000,
  pingMs: 1_000,
  hangMs: 5_000,
  maxCalls: 2_000,
};

export interface WorkerLinkOptions {
  readonly entry: string;
  readonly setup: RuntimeSetup;
  readonly host: HostPort;
  readonly clock: Clock;
  readonly limits: WorkerLimits;
  /** Anything the plugin printed. */
  readonly onOutput: (text: string) => void;
  /** The thread is gone although nobody asked for it. Called once. */
  readonly onDeath: (reason: string) => void;
}

const YOUNG_GENERATION_MB = 8;
const MB = 1024 * 1024;

interface Running {
  readonly resolve: (handled: boolean) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A plugin in a thread of its own. One per start of a plugin. Holds the jobs under way; invariant: whatever the thread
 * does, this side answers every job, and the thread is gone after `stop` or `onDeath`.
 */
export class WorkerLink implements PluginLink {
  readonly #options: WorkerLinkOptions;
  readonly #worker: Worker;
  readonly #jobs = new Map<number, Running>();
  readonly #started = Promise.withResolvers<Manifest>();
  readonly #stopped = Promise.withResolvers<void>();
  #lastWordMs: number;
  #calls = 0;
  #gone = false;
  #isReady = false;
  #pingUnanswered = false;
  #cancelWatch: () => void = () => undefined;

  constructor(options: WorkerLinkOptions) {
    this.#options = options;
    const { entry, setup, limits, clock, onOutput } = options;
    const input: WorkerInput = { entry, setup, maxBufferBytes: limits.externalMb * MB };
    this.#worker = new Worker(workerUrl(), {
      workerData: input,
      // Nothing of our environment: it may hold secrets.
      env: {},
      execArgv: [],
      stdout: true,
      stderr: true,
      resourceLimits: {
        maxOldGenerationSizeMb: limits.heapMb,
        maxYoungGenerationSizeMb: YOUNG_GENERATION_MB,
        stackSizeMb: 2,
      },
    });
    this.#lastWordMs = clock.monotonic();
    for (const stream of [this.#worker.stdout, this.#worker.stderr])
      stream.on('data', (chunk: Buffer) => onOutput(chunk.toString('utf8').slice(0, 2_000)));
    this.#worker.on('message', (message: FromWorker) => this.#onMessage(message));
    this.#worker.on('error', (error) => this.#die(deathReason(error, limits)));
    this.#worker.on('exit', (code) => this.#die(`its thread ended (code ${code})`));
    this.#started.promise.catch(() => undefined); // Whoever called `start` has it.
    this.#watch();
  }

  start(): Promise<Manifest> {
    return this.#started.promise;
  }

  run(id: number, job: Job): Promise<boolean> {
    if (this.#gone) return Promise.resolve(false);
    return new Promise((resolve, reject) => {
      this.#jobs.set(id, { resolve, reject });
      this.#post({ type: 'run', id, job });
    });
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#gone) return;
    const cancel = this.#options.clock.after(graceMs, () => this.#stopped.resolve());
    this.#post({ type: 'stop' });
    await this.#stopped.promise;
    cancel();
    this.#leave('stopped');
    await this.#worker.terminate();
  }

  #onMessage(message: FromWorker): void {
    this.#lastWordMs = this.#options.clock.monotonic();
    switch (message.type) {
      case 'ready':
        this.#isReady = true;
        this.#started.resolve(message.manifest);
        break;
      case 'failed':
        this.#die(message.error.message, message.curable ? RETRY_LATER : RETRY_NEVER);
        break;
      case 'call':
        this.#onCall(message);
        break;
      case 'done':
        this.#jobs.get(message.id)?.resolve(message.handled);
        this.#jobs.delete(message.id);
        break;
      case 'threw':
        this.#jobs.get(message.id)?.reject(revivedError(message.error));
        this.#jobs.delete(message.id);
        break;
      case 'stopped':
        this.#stopped.resolve();
        break;
      case 'pong':
        this.#pingUnanswered = false;
        this.#judge(message.externalBytes);
        break;
    }
  }

  #onCall({ id, call }: Extract<FromWorker, { type: 'call' }>): void {
    if (this.#gone) return;
    this.#calls += 1;
    if (this.#calls > this.#options.limits.maxCalls) {
      this.#die(`it made more than ${this.#options.limits.maxCalls} calls in ${this.#options.limits.pingMs} ms`);
      return;
    }
    this.#options.host(call).then(
      (value) => this.#post({ type: 'answer', id, value }),
      (error: unknown) => this.#post({ type: 'refusal', id, error: plainError(error) }),
    );
  }

  /** Looks at the thread: does it answer, and how much memory does it hold? */
  #watch(): void {
    const { clock, limits } = this.#options;
    this.#cancelWatch = clock.after(
      limits.pingMs,
      () => {
        if (this.#gone) return;
        this.#calls = 0;
        const silentMs = clock.monotonic() - this.#lastWordMs;
        const limitMs = this.#isReady ? limits.hangMs : limits.startMs;
        if (silentMs > limitMs) {
          this.#die(`it did not answer for ${Math.round(silentMs / 1_000)} s (an endless loop?)`);
          return;
        }
        // Whoever answers tells its memory, too; who is busy is weighed from here, which costs more.
        if (this.#pingUnanswered || this.#jobs.size > 0 || !this.#isReady) void this.#weigh();
        if (this.#isReady) {
          this.#pingUnanswered = true;
          this.#post({ type: 'ping' });
        }
        this.#watch();
      },
      { background: true },
    );
  }

  async #weigh(): Promise<void> {
    try {
      // Node 22.16 and later.
      const { external_memory: bytes } = await this.#worker.getHeapStatistics();
      this.#judge(bytes);
    } catch {
      // The thread is ending, or this Node cannot tell.
    }
  }

  #judge(externalBytes: number): void {
    const { externalMb } = this.#options.limits;
    if (externalBytes > externalMb * MB) this.#die(`it holds more than ${externalMb} MB of buffers`);
  }

  #post(message: ToWorker): void {
    if (!this.#gone) this.#worker.postMessage(message);
  }

  #die(reason: string, retry: RetryPolicy = RETRY_LATER): void {
    if (this.#gone) return;
    this.#leave(reason, retry);
    void this.#worker.terminate();
    this.#options.onDeath(reason);
  }

  /** `retry`: of a start that was under way. */
  #leave(reason: string, retry: RetryPolicy = RETRY_NEVER): void {
    this.#gone = true;
    this.#cancelWatch();
    this.#stopped.resolve();
    this.#started.reject(new RelayError('PLUGIN_STOPPED', reason, { retry }));
    for (const { reject } of this.#jobs.values()) reject(new RelayError('PLUGIN_STOPPED', reason));
    this.#jobs.clear();
  }
}

function deathReason(error: unknown, { heapMb }: WorkerLimits): string {
  const { code, message } = plainError(error);
  return code === 'ERR_WORKER_OUT_OF_MEMORY' ? `it used more than ${heapMb} MB of memory` : message;
}

/** The thread's first file: beside the sources, or the bundle's own entry. */
function workerUrl(): URL {
  const candidates = ['../worker/main.ts', './plugin-worker.js', '../plugin-worker.js'];
  const found = candidates.map((path) => new URL(path, import.meta.url)).find((url) => existsSync(fileURLToPath(url)));
  if (found === undefined)
    throw new RelayError('PLUGIN_NO_WORKER', 'The file that runs plugins is missing from this installation');
  return found;
}
