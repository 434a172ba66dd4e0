import type { Clock } from '../../util/clock.ts';
import { sleep } from '../../util/clock.ts';
import type {
  Capabilities,
  CommandInfo,
  DeviceMetrics,
  Json,
  MessageContext,
  Need,
  NodeInfo,
  PluginContext,
  PluginStore,
  Position,
  RelayStatus,
} from '../api.ts';
import type { HostCall, HostPort, RuntimeSetup } from '../protocol.ts';
import { deepFreeze } from './freeze.ts';
import type { HttpClient } from './http.ts';

export interface ContextOptions {
  readonly host: HostPort;
  readonly clock: Clock;
  readonly setup: RuntimeSetup;
  readonly needs: ReadonlySet<Need>;
  readonly config: Readonly<Record<string, Json>>;
  readonly http: HttpClient;
}

/** What the person who typed a command is told. Known by name: it may come from another thread's plugin. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
}

/** The context of one plugin, with what it declared and nothing else. */
export function createContext(options: ContextOptions): PluginContext {
  const { host, clock, setup, needs, config } = options;
  const log =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (message: string, fields: Readonly<Record<string, unknown>> = {}) => {
      host({ op: 'log', level, message: String(message), fields: plainFields(fields) }).catch(() => undefined); // A lost log line harms nobody.
    };
  const base = {
    config,
    logger: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
    clock: { now: () => clock.now(), sleep: (ms: number) => sleep(clock, ms) },
    locale: setup.locale,
    units: setup.units,
    fail: (text: string) => new CommandError(text),
  };
  const all = capabilities(options);
  const granted = Object.fromEntries(Object.entries(all).filter(([name]) => needs.has(name as Need)));
  const missing = Object.keys(all).filter((name) => !needs.has(name as Need));
  return deepFreeze(Object.assign(Object.create(lookedUp(setup, missing)), base, granted)) as PluginContext;
}

/**
 * Prototype of a context: what was not declared says so, instead of being undefined, and the machine's time zone is
 * looked up only when a plugin asks, because the first formatter of a process makes 7 MB of locale data resident.
 */
function lookedUp(setup: RuntimeSetup, undeclared: readonly string[]): object {
  const properties = undeclared.map((name) => [
    name,
    {
      get: () => {
        throw new Error(`ctx.${name} has to be declared: needs: ['${name}']`);
      },
    },
  ]);
  const timeZone = { get: () => setup.timeZone ?? new Intl.DateTimeFormat().resolvedOptions().timeZone };
  return Object.create(null, { ...Object.fromEntries(properties), timeZone }) as object;
}

/** The same for one message. */
export function messageContext(context: PluginContext, host: HostPort, job: number): MessageContext {
  return Object.freeze({
    __proto__: Object.getPrototypeOf(context) as object,
    ...context,
    reply: async (answer: Parameters<MessageContext['reply']>[0]) => {
      await host({ op: 'reply', job, reply: typeof answer === 'string' ? { text: answer } : answer });
    },
    react: async (emoji: string) => {
      await host({ op: 'react', job, emoji });
    },
    claim: () => {
      host({ op: 'claim', job }).catch(() => undefined); // The host is gone: there is nothing left to claim.
    },
  });
}

function capabilities({ host, http }: ContextOptions): Capabilities {
  // The host answers in the types of the API; this is the one place that believes it.
  const ask = async <T>(call: HostCall): Promise<T> => (await host(call)) as T;
  return {
    sendMesh: (output) => ask({ op: 'sendMesh', output }),
    sendPacket: (output) => ask({ op: 'sendPacket', output }),
    sendRoom: (output) => ask({ op: 'sendRoom', output }),
    nodes: {
      list: () => ask<readonly NodeInfo[]>({ op: 'nodes.list' }),
      find: (which) => ask<NodeInfo | null>({ op: 'nodes.find', which }),
      own: (radio) => ask<number | null>({ op: 'nodes.own', radio: radio ?? null }),
    },
    positions: {
      all: () => ask<ReadonlyMap<number, Position>>({ op: 'positions.all' }),
      of: (num) => ask<Position | null>({ op: 'positions.of', num }),
    },
    telemetry: { all: () => ask<ReadonlyMap<number, DeviceMetrics>>({ op: 'telemetry.all' }) },
    store: createStore(host),
    http: { get: (url, options) => http.get(url, options) },
    files: { folder: () => ask<string>({ op: 'files.folder' }) },
    status: { get: () => ask<RelayStatus>({ op: 'status.get' }) },
    radios: {
      release: (forMs, radio) => ask({ op: 'radios.release', forMs, radio: radio ?? null }),
      claim: (radio) => ask({ op: 'radios.claim', radio: radio ?? null }),
    },
    plugins: { commands: () => ask<readonly CommandInfo[]>({ op: 'plugins.commands' }) },
    rooms: { list: () => ask({ op: 'rooms.list' }) },
  };
}

function createStore(host: HostPort): PluginStore {
  const ask = async <T>(call: HostCall): Promise<T> => (await host(call)) as T;
  const turns = new Map<string, Promise<unknown>>();
  /** Runs after the calls for the same key that came before it. */
  const inTurn = <T>(key: string, work: () => Promise<T>): Promise<T> => {
    const before = turns.get(key) ?? Promise.resolve();
    const turn = before.then(work, work);
    turns.set(key, turn);
    const forget = (): void => {
      if (turns.get(key) === turn) turns.delete(key);
    };
    turn.then(forget, forget);
    return turn;
  };
  return {
    get: (key) => ask<Json>({ op: 'store.get', key }),
    set: (key, value) => inTurn(key, () => ask({ op: 'store.set', key, value })),
    delete: (key) => inTurn(key, () => ask({ op: 'store.delete', key })),
    append: (key, item, keepNewest) => inTurn(key, () => ask({ op: 'store.append', key, item, keepNewest })),
    update: (key, change) =>
      inTurn(key, async () => {
        const value = change(await ask<Json>({ op: 'store.get', key }));
        await ask(value === null ? { op: 'store.delete', key } : { op: 'store.set', key, value });
        return value;
      }),
    batch: (changes) => ask({ op: 'store.batch', changes }),
    all: () => ask<ReadonlyMap<string, Json>>({ op: 'store.all' }),
    usedBytes: () => ask<number>({ op: 'store.usedBytes' }),
  };
}

/** Log fields as data that can cross a thread. */
function plainFields(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => [
      key,
      value instanceof Error
        ? value.message
        : typeof value === 'function' || typeof value === 'symbol'
          ? String(value)
          : value,
    ]),
  );
}
