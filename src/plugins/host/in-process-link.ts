import type { Job, Manifest } from '../protocol.ts';
import { PluginRuntime, type RuntimeOptions } from '../runtime/runtime.ts';
import { assertPlugin } from '../validate.ts';
import type { PluginLink } from './types.ts';

export interface InProcessOptions extends Omit<RuntimeOptions, 'plugin'> {
  readonly load: () => Promise<unknown>;
}

/** A core plugin, in our own thread: ours, tested with us, and light. One per plugin. */
export class InProcessLink implements PluginLink {
  readonly #options: InProcessOptions;
  #runtime: PluginRuntime | null = null;

  constructor(options: InProcessOptions) {
    this.#options = options;
  }

  async start(): Promise<Manifest> {
    const plugin = assertPlugin(await this.#options.load());
    const runtime = new PluginRuntime({ ...this.#options, plugin });
    await runtime.start();
    this.#runtime = runtime;
    return runtime.manifest;
  }

  run(id: number, job: Job): Promise<boolean> {
    // A copy for each plugin: none sees what another did to it.
    return this.#runtime?.run(id, structuredClone(job)) ?? Promise.resolve(false);
  }

  async stop(): Promise<void> {
    await this.#runtime?.stop();
  }
}
