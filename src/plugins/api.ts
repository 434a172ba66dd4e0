/**
 * The plugin API, `mmrelay/plugin`: all a plugin can see of the relay. Frozen by version: what is here stays; a change
 * that breaks a plugin is a new API_VERSION. A plugin is a plain object, so a plugin outside this tree needs these
 * types only. docs/PLUGINS.md is the guide.
 */

import type { Capabilities, Json, MeshText, Need, Packet, RelayEvent, Reply, RoomMessage } from './api-data.ts';

/** The public face of the package: one import for a plugin. */
export type * from './api-data.ts';

export const API_VERSION = 1;

// ---------------------------------------------------------------- configuration

/** One key of a plugin's part of the configuration. A wrong value gives a warning and the default. */
export type ConfigField = { readonly description: string } & (
  | { readonly type: 'boolean'; readonly default?: boolean }
  | { readonly type: 'number' | 'integer'; readonly default?: number; readonly min?: number; readonly max?: number }
  | { readonly type: 'string'; readonly default?: string; readonly choices?: readonly string[] }
  | { readonly type: 'list'; readonly default?: readonly Json[] }
  | { readonly type: 'map'; readonly default?: { readonly [key: string]: Json } }
);

export type ConfigSchema = Readonly<Record<string, ConfigField>>;

type FieldBase<F> = F extends { readonly type: 'boolean' }
  ? boolean
  : F extends { readonly type: 'number' | 'integer' }
    ? number
    : F extends { readonly type: 'string'; readonly choices: readonly (infer C)[] }
      ? C
      : F extends { readonly type: 'string' }
        ? string
        : F extends { readonly type: 'list' }
          ? readonly Json[]
          : { readonly [key: string]: Json | undefined };

/** The checked configuration; a key without default that is not set is null. */
export type ConfigOf<S extends ConfigSchema> = {
  readonly [K in keyof S]: S[K] extends { readonly default: unknown } ? FieldBase<S[K]> : FieldBase<S[K]> | null;
};

// ---------------------------------------------------------------- commands

export type ArgSpec = { readonly description: string; readonly optional?: boolean } & (
  | { readonly type: 'word' | 'text' | 'node' }
  | { readonly type: 'integer' | 'number'; readonly min?: number; readonly max?: number }
  /** `90s`, `15m`, `24h`, `7d`; milliseconds. */
  | { readonly type: 'duration' }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
);

export interface CommandCall {
  /** Canonical name, without `!`. */
  readonly name: string;
  /** As typed (an alias, other case), without `!`. */
  readonly typed: string;
  /** All that follows the name, trimmed. */
  readonly argText: string;
  /**
   * By `args` of the command: in order, or as `name=value`; `text` takes the rest. `node` is an id, a number or a name
   * of a node the relay knows, as its number. Empty for a command without `args`.
   */
  readonly args: Readonly<Record<string, string | number | undefined>>;
  /** Where it came from. */
  readonly from:
    | { readonly kind: 'mesh'; readonly message: MeshText }
    | { readonly kind: 'room'; readonly message: RoomMessage };
  /** Its sender is one of `matrix.admins` of the configuration. */
  readonly admin: boolean;
}

export interface Command<S extends ConfigSchema = ConfigSchema, N extends Need = Need> {
  /** Without `!`. */
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly description: string;
  /** Longer help, for `!help <name>`. */
  readonly help?: string;
  /** Where it works; both by default. */
  readonly on?: readonly ('room' | 'mesh')[];
  /** Checked before `run`; a mistake is answered with the usage. */
  readonly args?: Readonly<Record<string, ArgSpec>>;
  /** Only for `matrix.admins`; never from the mesh. */
  readonly admin?: boolean;
  /** Mesh: the command may stand after other words. */
  readonly anywhere?: boolean;
  /** Least time between two uses by one person, in milliseconds; `cooldown` of the configuration comes first. */
  readonly cooldownMs?: number;
  /** No ✅ and ❌ on the command in the room. */
  readonly quiet?: boolean;
  /**
   * The command is taken (not relayed) before this runs; it may take its time. A string is the answer. When it throws,
   * the sender is told: an error of `ctx.fail` with its text, anything else in general words.
   */
  // biome-ignore lint/suspicious/noConfusingVoidType: a command that answers by itself returns nothing
  run(call: CommandCall, ctx: MessageContext<S, N>): Promise<Reply | string | void> | Reply | string | void;
}

// ---------------------------------------------------------------- context and plugin

export interface BaseContext<S extends ConfigSchema = ConfigSchema> {
  readonly config: ConfigOf<S>;
  readonly logger: Record<
    'debug' | 'info' | 'warn' | 'error',
    (message: string, fields?: Readonly<Record<string, unknown>>) => void
  >;
  readonly clock: { now(): number; sleep(ms: number): Promise<void> };
  /** BCP 47, as `en`. */
  readonly locale: string;
  readonly units: 'metric' | 'imperial';
  /** IANA name, as `Europe/Berlin`. */
  readonly timeZone: string;
  /** An error whose text is for the person: `throw ctx.fail('No such node')`. */
  fail(text: string): Error;
}

export type PluginContext<S extends ConfigSchema = ConfigSchema, N extends Need = Need> = BaseContext<S> &
  Pick<Capabilities, Extract<N, keyof Capabilities>>;

/** The context while a message is handled. */
export type MessageContext<S extends ConfigSchema = ConfigSchema, N extends Need = Need> = PluginContext<S, N> & {
  /** Answers on the side the message came from. */
  reply(answer: Reply | string): Promise<void>;
  /** A reaction to the message. */
  react(emoji: string): Promise<void>;
  /**
   * "This message is mine": it is not relayed and later plugins do not see it. To be called within 200 ms; work may go
   * on after it. Returning true says the same. A timeout or an error never claims.
   */
  claim(): void;
};

// biome-ignore lint/suspicious/noConfusingVoidType: a handler without return says "not mine"
type Handled = boolean | void | Promise<boolean | void>;

/** A job; without `every` and `cron` it runs by `schedule` of the configuration. Missed runs are not caught up. */
export interface ScheduledJob<S extends ConfigSchema = ConfigSchema, N extends Need = Need> {
  readonly name: string;
  /** `30s`, `15m`, `6h`, or milliseconds (1 s at least). */
  readonly every?: string | number;
  /** Five fields (minute hour day month weekday) or `@hourly`, `@daily`, `@weekly`, `@monthly`, in `timeZone`. */
  readonly cron?: string;
  run(ctx: PluginContext<S, N>): Promise<void> | void;
}

export interface Plugin<S extends ConfigSchema = ConfigSchema, N extends Need = Need> {
  /** The key in the configuration: letters, digits, `_`, `-`, `.`. */
  readonly name: string;
  readonly version: string;
  readonly api: 1;
  readonly description?: string;
  readonly configSchema?: S;
  readonly needs?: readonly N[];
  /** Hosts for `http`; a leading `*.` takes sub-domains. */
  readonly httpHosts?: readonly string[] | ((config: ConfigOf<S>) => readonly string[]);
  /** Lower runs first; 100 by default. */
  readonly priority?: number;
  /** `onMeshText` and `onRoomMessage` take no message, ever: nobody waits for them. */
  readonly onlyListens?: boolean;
  readonly commands?: readonly Command<S, N>[] | ((config: ConfigOf<S>) => readonly Command<S, N>[]);
  readonly schedule?: readonly ScheduledJob<S, N>[];
  start?(ctx: PluginContext<S, N>): Promise<void> | void;
  stop?(ctx: PluginContext<S, N>): Promise<void> | void;
  /** Every packet, text or not. Never holds up the relay and cannot claim. */
  onMeshPacket?(packet: Packet, ctx: PluginContext<S, N>): Promise<void> | void;
  /** Texts that are no command of a plugin. */
  onMeshText?(message: MeshText, ctx: MessageContext<S, N>): Handled;
  /** Texts that are no command of a plugin. */
  onRoomMessage?(message: RoomMessage, ctx: MessageContext<S, N>): Handled;
  /** What another relay says in a mapped room; needs `relayEvents`. Never holds up the relay and cannot claim. */
  onRelayEvent?(event: RelayEvent, ctx: PluginContext<S, N>): Promise<void> | void;
}

/**
 * Gives a plugin its types: `config` and the context follow `configSchema` and `needs`, which therefore come before the
 * handlers. Returns its argument.
 */
export function definePlugin<
  const S extends ConfigSchema = Readonly<Record<never, never>>,
  const N extends Need = never,
>(plugin: Plugin<S, N>): Plugin<S, N> {
  return plugin;
}
