import type { Clock } from '../../util/clock.ts';
import type { Command, ConfigOf, ConfigSchema, MessageContext, Plugin, PluginContext, Reply } from '../api.ts';
import { parseArguments, usageOf } from '../commands/arguments.ts';
import { checkConfig } from '../config-values.ts';
import type { CommandFacts, HostPort, HttpFetch, Job, Manifest, RawCall, RuntimeSetup } from '../protocol.ts';
import { assertCommand } from '../validate.ts';
import { CommandError, createContext, messageContext } from './context.ts';
import { deepFreeze } from './freeze.ts';
import { HttpClient } from './http.ts';

export interface RuntimeOptions {
  readonly plugin: Plugin;
  readonly setup: RuntimeSetup;
  readonly host: HostPort;
  readonly clock: Clock;
  readonly fetch: HttpFetch;
}

/**
 * Runs one plugin: reads its configuration, builds its context, calls its handlers. One per plugin, in the plugin's
 * thread. Knows the host only as a function.
 */
export class PluginRuntime {
  readonly manifest: Manifest;
  readonly #plugin: Plugin;
  readonly #options: RuntimeOptions;
  readonly #context: PluginContext;
  readonly #commands: readonly Command[];

  constructor(options: RuntimeOptions) {
    const { plugin, setup, host, clock, fetch } = options;
    this.#plugin = plugin;
    this.#options = options;
    const { config, warnings } = checkConfig(plugin.configSchema ?? {}, setup.settings);
    const typed = deepFreeze(structuredClone(config)) as ConfigOf<ConfigSchema>;
    this.#commands = typeof plugin.commands === 'function' ? plugin.commands(typed) : (plugin.commands ?? []);
    for (const command of this.#commands) assertCommand(command);
    const needs = plugin.needs ?? [];
    this.manifest = { ...describe(plugin, this.#commands), needs, warnings };
    const hosts = typeof plugin.httpHosts === 'function' ? plugin.httpHosts(typed) : (plugin.httpHosts ?? []);
    const http = new HttpClient({ hosts, userAgent: setup.userAgent, fetch, now: () => clock.monotonic() });
    this.#context = createContext({ host, clock, setup, needs: new Set(needs), config, http });
  }

  async start(): Promise<void> {
    await this.#plugin.start?.(this.#context);
  }

  async stop(): Promise<void> {
    await this.#plugin.stop?.(this.#context);
  }

  /**
   * Runs a handler. `id` names the message in replies. @returns true when the handler says the message is its own
   * @throws whatever the handler throws, apart from a command's, whose sender is told
   */
  async run(id: number, job: Job): Promise<boolean> {
    const { host } = this.#options;
    const context = messageContext(this.#context, host, id);
    deepFreeze(job);
    switch (job.kind) {
      case 'command':
        await this.#runCommand(job.call, context);
        return true;
      case 'mesh-text':
        return (await this.#plugin.onMeshText?.(job.message, context)) === true;
      case 'room-message':
        return (await this.#plugin.onRoomMessage?.(job.message, context)) === true;
      case 'packet':
        await this.#plugin.onMeshPacket?.(job.packet, this.#context);
        return false;
      case 'relay-event':
        await this.#plugin.onRelayEvent?.(job.event, this.#context);
        return false;
      case 'schedule':
        await this.#plugin.schedule?.[job.index]?.run(this.#context);
        return false;
    }
  }

  async #runCommand(call: RawCall, context: MessageContext): Promise<void> {
    const command = this.#commands.find(({ name }) => name === call.name);
    if (command === undefined) return;
    const marks = call.from.kind === 'room' && command.quiet !== true;
    try {
      const specs = command.args ?? {};
      const parsed =
        command.args === undefined
          ? ({ ok: true, args: {} } as const)
          : await parseArguments(call.argText, specs, (which) => this.#findNode(which));
      if (!parsed.ok) throw new CommandError(`${parsed.problem}. Usage: ${usageOf(command.name, specs)}`);
      const answer = await command.run(deepFreeze({ ...call, args: parsed.args }), context);
      if (answer !== undefined) await context.reply(answer satisfies Reply | string);
      if (marks) await context.react('✅');
    } catch (error) {
      const told = error instanceof CommandError;
      await context.reply(told ? error.message : `!${command.name} failed. The log of the relay says why.`);
      if (marks) await context.react('❌');
      if (!told) throw error;
    }
  }

  async #findNode(which: string): Promise<number | null> {
    const found = await this.#options.host({ op: 'resolveNode', which });
    return typeof found === 'number' ? found : null;
  }
}

function describe(plugin: Plugin, commands: readonly Command[]): Omit<Manifest, 'needs' | 'warnings'> {
  return {
    name: plugin.name,
    version: plugin.version,
    description: plugin.description ?? '',
    priority: plugin.priority ?? 100,
    commands: commands.map(commandFacts),
    schedule: (plugin.schedule ?? []).map(({ name, every, cron }) => ({
      name,
      every: every ?? null,
      cron: cron ?? null,
    })),
    handles: {
      packet: plugin.onMeshPacket !== undefined,
      meshText: plugin.onMeshText !== undefined,
      roomMessage: plugin.onRoomMessage !== undefined,
      relayEvent: plugin.onRelayEvent !== undefined,
    },
    onlyListens: plugin.onlyListens === true,
  };
}

function commandFacts(command: Command): CommandFacts {
  return {
    name: command.name,
    aliases: command.aliases ?? [],
    description: command.description,
    help: command.help ?? null,
    usage: usageOf(command.name, command.args),
    on: command.on ?? ['room', 'mesh'],
    admin: command.admin === true,
    anywhere: command.anywhere === true,
    cooldownMs: command.cooldownMs ?? null,
  };
}
