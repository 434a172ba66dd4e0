import { getHeapStatistics } from 'node:v8';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../util/clock.ts';
import { offerPluginApi } from '../api-module.ts';
import type { HostCall } from '../protocol.ts';
import { limitedFetch } from '../runtime/fetch.ts';
import { PluginRuntime } from '../runtime/runtime.ts';
import { assertPlugin } from '../validate.ts';
import { guardBuffers } from './buffer-guard.ts';
import { type FromWorker, plainError, revivedError, type ToWorker, type WorkerInput } from './messages.ts';

/** The first code in a plugin's thread: loads the plugin and carries words between it and the host. */

type Waiting = { readonly resolve: (value: unknown) => void; readonly reject: (error: Error) => void };

/** The thread's end of the wire. One per thread; holds the calls that wait for the host's answer. */
class HostWire {
  readonly #waiting = new Map<number, Waiting>();
  #calls = 0;

  call(call: HostCall): Promise<unknown> {
    this.#calls += 1;
    const id = this.#calls;
    const answer = new Promise<unknown>((resolve, reject) => this.#waiting.set(id, { resolve, reject }));
    send({ type: 'call', id, call });
    return answer;
  }

  settle(message: Extract<ToWorker, { type: 'answer' | 'refusal' }>): void {
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (message.type === 'answer') waiting?.resolve(message.value);
    else waiting?.reject(revivedError(message.error));
  }
}

function send(message: FromWorker): void {
  parentPort?.postMessage(message);
}

async function serve(input: WorkerInput): Promise<void> {
  guardBuffers(input.maxBufferBytes);
  const wire = new HostWire();
  const loading = loadPlugin(input, wire);
  const starting = loading.then(async (runtime) => {
    await runtime.start();
    return runtime;
  });
  parentPort?.on('message', (message: ToWorker) => {
    if (message.type === 'ping') send({ type: 'pong', externalBytes: getHeapStatistics().external_memory });
    else if (message.type === 'answer' || message.type === 'refusal') wire.settle(message);
    else if (message.type === 'run') void run(starting, message);
    else void stop(starting);
  });
  try {
    const { manifest } = await starting;
    send({ type: 'ready', manifest });
  } catch (error) {
    const curable = await loading.then(
      () => true,
      () => false,
    );
    send({ type: 'failed', error: plainError(error), curable });
  }
}

async function loadPlugin({ entry, setup }: WorkerInput, wire: HostWire): Promise<PluginRuntime> {
  offerPluginApi();
  const module: unknown = await import(entry);
  const plugin = assertPlugin(
    typeof module === 'object' && module !== null && 'default' in module ? module.default : null,
  );
  const host = (call: HostCall): Promise<unknown> => wire.call(call);
  return new PluginRuntime({ plugin, setup, host, clock: systemClock, fetch: limitedFetch });
}

async function run(starting: Promise<PluginRuntime>, { id, job }: Extract<ToWorker, { type: 'run' }>): Promise<void> {
  try {
    const handled = await (await starting).run(id, job);
    send({ type: 'done', id, handled });
  } catch (error) {
    send({ type: 'threw', id, error: plainError(error) });
  }
}

async function stop(starting: Promise<PluginRuntime>): Promise<void> {
  try {
    await (await starting).stop();
  } finally {
    send({ type: 'stopped' });
  }
}

await serve(workerData as WorkerInput);
