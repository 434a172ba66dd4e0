import { errorText, RelayError } from '../../util/relay-error.ts';
import type { Packet } from '../api.ts';
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
    const plugin = assertPlugin(await this.#load());
    const runtime = new PluginRuntime({ ...this.#options, plugin });
    await runtime.start();
    this.#runtime = runtime;
    return runtime.manifest;
  }

  async #load(): Promise<unknown> {
    try {
      return await this.#options.load();
    } catch (cause) {
      // Code that cannot be loaded now cannot be loaded in a minute.
      throw cause instanceof RelayError ? cause : new RelayError('PLUGIN_LOAD', errorText(cause), { cause });
    }
  }

  run(id: number, job: Job): Promise<boolean> {
    return this.#runtime?.run(id, ownCopy(job)) ?? Promise.resolve(false);
  }

  async stop(): Promise<void> {
    await this.#runtime?.stop();
  }
}

/**
 * A copy for each plugin: none sees what another did to it. All but the bytes will be frozen, so only what holds bytes
 * is copied: with thirty plugins a full copy for each was a fifth of the way of a message.
 */
function ownCopy(job: Job): Job {
  switch (job.kind) {
    case 'packet':
      return { ...job, packet: packetCopy(job.packet) };
    case 'mesh-text':
      return { ...job, message: { ...job.message, packet: packetCopy(job.message.packet) } };
    case 'command': {
      const { call } = job;
      if (call.from.kind === 'room') return { ...job, call: { ...call } };
      const { message } = call.from;
      return {
        ...job,
        call: { ...call, from: { ...call.from, message: { ...message, packet: packetCopy(message.packet) } } },
      };
    }
    case 'relay-event':
      return structuredClone(job);
    case 'room-message':
    case 'schedule':
      return { ...job };
  }
}

function packetCopy(packet: Packet): Packet {
  return { ...packet, payload: packet.payload.slice() };
}
