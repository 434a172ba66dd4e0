import type { Clock } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';
import type { CommandCall, CommandInfo, MeshOutput, Packet } from '../api.ts';
import { Cooldowns } from '../commands/cooldown.ts';
import { matchMeshCommand } from '../commands/mesh-command.ts';
import { meshRefusal, readPolicy, roomRefusal } from '../commands/permission.ts';
import { type CommandMatch, matchRoomCommand } from '../commands/room-command.ts';
import type { CommandFacts } from '../protocol.ts';
import type { InboundMessage, PluginState, RelayAccess } from './types.ts';
import type { PluginUnit } from './unit.ts';

export interface CommandDeskOptions {
  /** Those that have told what they are. */
  readonly units: () => readonly PluginUnit[];
  readonly states: () => readonly PluginState[];
  readonly relay: RelayAccess;
  readonly admins: () => readonly string[];
  readonly clock: Clock;
  readonly logger: Logger;
}

interface Candidate {
  readonly unit: PluginUnit;
  readonly command: CommandFacts;
}

const LIST_COMMAND = 'plugins';
const DESK = 'plugins';

/**
 * Finds commands in messages and hands them to their plugins. One per host; holds who has to wait before the next one.
 * Invariant: a command is taken at once, whether it may be used or not, so it is never relayed as chat.
 */
export class CommandDesk {
  readonly #options: CommandDeskOptions;
  readonly #cooldowns: Cooldowns;

  constructor(options: CommandDeskOptions) {
    this.#options = options;
    this.#cooldowns = new Cooldowns(options.clock);
  }

  commands(): readonly CommandInfo[] {
    return this.#candidates().map(({ unit, command }) => {
      const { name, aliases, description, help, usage, on, admin } = command;
      return { name, aliases, plugin: unit.spec.name, description, help, usage, on, admin };
    });
  }

  /** True when the message was a command of a plugin, whatever came of it. */
  take(inbound: InboundMessage): boolean {
    if (inbound.kind === 'mesh') return this.#takeMesh(inbound);
    return this.#takeRoom(inbound) || this.#takeList(inbound);
  }

  /** Direct messages are for every plugin; a channel must be one of the plugin's. */
  onChannel(unit: PluginUnit, at: Pick<Packet, 'radio' | 'channel' | 'direct'>): boolean {
    if (at.direct) return true;
    const { relay } = this.#options;
    const channels =
      unit.spec.channels ??
      relay
        .rooms()
        .filter(({ radio }) => radio === at.radio)
        .map(({ channel }) => channel);
    return channels.includes(at.channel);
  }

  #candidates(): readonly Candidate[] {
    const seen = new Set<string>();
    return this.#options.units().flatMap((unit) =>
      (unit.manifest()?.commands ?? []).flatMap((command) => {
        const key = command.name.toLowerCase();
        // Two plugins with one command: the first by priority has it.
        if (seen.has(key)) return [];
        seen.add(key);
        return [{ unit, command }];
      }),
    );
  }

  #takeMesh(inbound: Extract<InboundMessage, { kind: 'mesh' }>): boolean {
    const { text, packet } = inbound;
    if (text === null || !text.text.includes('!')) return false;
    const candidates = this.#candidates().filter(
      ({ unit, command }) => command.on.includes('mesh') && this.onChannel(unit, packet),
    );
    const match = matchMeshCommand(text.text, {
      atStart: namesOf(candidates.filter(({ command }) => !command.anywhere)),
      anywhere: namesOf(candidates.filter(({ command }) => command.anywhere)),
    });
    const found = match === null ? null : byName(candidates, match.name);
    if (match === null || found === null) return false;
    const policy = readPolicy(found.unit.spec.settings);
    if (meshRefusal(packet.fromId, { policy, adminOnly: found.command.admin }) !== null) return true;
    if (this.#pause(found, packet.fromId).kind === 'wait') return true;
    this.#run(found, match, { inbound, from: { kind: 'mesh', message: text }, admin: false });
    return true;
  }

  #takeRoom(inbound: Extract<InboundMessage, { kind: 'room' }>): boolean {
    const { relay } = this.#options;
    const admins = this.#options.admins();
    const { message } = inbound;
    const found = this.#findInRoom(inbound);
    if (found === null) return false;
    if (inbound.stale) return true;
    const { candidate, match } = found;
    const policy = readPolicy(candidate.unit.spec.settings);
    const adminOnly = candidate.command.admin;
    const refusal = roomRefusal(message, { policy, adminOnly, admins, powerLevel: relay.powerLevel });
    if (refusal !== null) {
      this.#tell(inbound, `!${candidate.command.name}: ${refusal}.`);
      return true;
    }
    const pause = this.#pause(candidate, message.sender);
    if (pause.kind === 'wait') {
      if (pause.tell)
        this.#tell(inbound, `!${match.name}: wait ${Math.ceil(pause.leftMs / 1_000)} s before the next one.`);
      return true;
    }
    this.#run(candidate, match, {
      inbound,
      from: { kind: 'room', message },
      admin: admins.includes(message.sender),
    });
    return true;
  }

  #findInRoom({ message, formattedBody }: Extract<InboundMessage, { kind: 'room' }>): {
    readonly candidate: Candidate;
    readonly match: CommandMatch;
  } | null {
    if (!message.text.includes('!') && formattedBody?.includes('!') !== true) return null;
    const bot = this.#options.relay.bot(message.roomId);
    const candidates = this.#candidates().filter(({ command }) => command.on.includes('room'));
    for (const mentionRequired of [true, false]) {
      // Alone with the bot there is nobody else to speak to.
      const group = candidates.filter(
        ({ unit }) => (unit.spec.mentionRequired && message.radio !== null) === mentionRequired,
      );
      const text = { body: message.text, formattedBody };
      const match = matchRoomCommand(text, namesOf(group), { bot, mentionRequired });
      const candidate = match === null ? null : byName(group, match.name);
      if (match !== null && candidate !== null) return { candidate, match };
    }
    return null;
  }

  /** `!plugins`: what runs, and what does not and why. The host's own, because a plugin that is down cannot say so. */
  #takeList(inbound: Extract<InboundMessage, { kind: 'room' }>): boolean {
    const { message, formattedBody } = inbound;
    const options = { bot: this.#options.relay.bot(message.roomId), mentionRequired: message.radio !== null };
    const text = { body: message.text, formattedBody };
    if (matchRoomCommand(text, [LIST_COMMAND], options) === null) return false;
    if (inbound.stale || this.#cooldowns.take(message.sender, LIST_COMMAND, 5_000).kind === 'wait') return true;
    this.#tell(inbound, listText(this.#options.states()));
    return true;
  }

  #pause({ unit, command }: Candidate, who: string): ReturnType<Cooldowns['take']> {
    const pauseMs = readPolicy(unit.spec.settings).cooldownMs ?? command.cooldownMs ?? 0;
    return this.#cooldowns.take(who, command.name, pauseMs);
  }

  #run(
    { unit, command }: Candidate,
    match: CommandMatch,
    origin: Pick<CommandCall, 'from' | 'admin'> & { readonly inbound: InboundMessage },
  ): void {
    const { inbound, from, admin } = origin;
    if (!unit.isActive()) {
      this.#tell(inbound, `!${command.name}: the plugin ${unit.spec.name} is not running at the moment.`);
      return;
    }
    const call = { name: command.name, typed: match.typed, argText: match.args, from, admin };
    unit.dispatch({ kind: 'command', call }, inbound);
  }

  #tell(inbound: InboundMessage, text: string): void {
    const { relay, logger } = this.#options;
    const failed = (error: unknown): void =>
      logger.warn('An answer to a command could not be sent', { error: errorText(error) });
    try {
      if (inbound.kind === 'mesh') relay.sendMesh(meshAnswer(inbound.packet, text), DESK);
      else relay.sendRoom({ room: inbound.message.room, text }, DESK).catch(failed);
    } catch (error) {
      failed(error);
    }
  }
}

function meshAnswer(packet: Packet, text: string): MeshOutput {
  const { radio, channel, id: replyId } = packet;
  return { radio, channel, replyId, text, ...(packet.direct ? { to: packet.from } : {}) };
}

function namesOf(candidates: readonly Candidate[]): string[] {
  return candidates.flatMap(({ command }) => [command.name, ...command.aliases]);
}

function byName(candidates: readonly Candidate[], name: string): Candidate | null {
  return candidates.find(({ command }) => command.name === name || command.aliases.includes(name)) ?? null;
}

/** One line a plugin. */
function listText(states: readonly PluginState[]): string {
  const lines = states.map(({ name, version, status, reason }) => {
    const what = status === 'active' ? `running${version === null ? '' : ` (${version})`}` : status;
    return `${name}: ${what}${reason === null ? '' : `, ${reason}`}`;
  });
  return ['Plugins:', ...lines].join('\n');
}
