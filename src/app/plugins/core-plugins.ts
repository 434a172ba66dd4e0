import type { Plugin } from '../../plugins/api.ts';
import { nearest } from '../../util/nearest.ts';

type CoreModule = { readonly default: unknown };

/** The core plugins, each loaded when it is active and not before. */
const CORE: Readonly<Record<string, () => Promise<CoreModule>>> = {
  debug: () => import('../../../plugins/debug/index.ts'),
  dm: () => import('../../../plugins/dm/index.ts'),
  drop: () => import('../../../plugins/drop/index.ts'),
  health: () => import('../../../plugins/health/index.ts'),
  help: () => import('../../../plugins/help/index.ts'),
  map: () => import('../../../plugins/map/index.ts'),
  mesh_relay: () => import('../../../plugins/mesh_relay/index.ts'),
  nodes: () => import('../../../plugins/nodes/index.ts'),
  ping: () => import('../../../plugins/ping/index.ts'),
  queue: () => import('../../../plugins/queue/index.ts'),
  radio: () => import('../../../plugins/radio/index.ts'),
  status: () => import('../../../plugins/status/index.ts'),
  telemetry: () => import('../../../plugins/telemetry/index.ts'),
  trace: () => import('../../../plugins/trace/index.ts'),
  weather: () => import('../../../plugins/weather/index.ts'),
  who: () => import('../../../plugins/who/index.ts'),
};

export const CORE_PLUGINS: readonly string[] = Object.keys(CORE).sort();

/** What to say of a name that none of them has. */
export function noCorePlugin(name: string): string {
  const meant = nearest(name, CORE_PLUGINS);
  const words = `there is no core plugin called ${name}`;
  return meant === null ? `${words}; your own go under custom-plugins` : `${words}; did you mean ${meant}?`;
}

/** Loads a core plugin; null when there is none of that name. */
export function coreLoader(name: string): (() => Promise<Plugin>) | null {
  const load = Object.hasOwn(CORE, name) ? CORE[name] : undefined;
  // The host checks what it gets, as it does with everybody's.
  return load === undefined ? null : async () => (await load()).default as Plugin;
}

/** What each core plugin says of itself, in a line. Loads them all. */
export async function coreDescriptions(): Promise<ReadonlyMap<string, string>> {
  const described = CORE_PLUGINS.map(async (name): Promise<readonly [string, string]> => {
    const plugin = await coreLoader(name)?.();
    return [name, plugin?.description?.split('\n', 1)[0] ?? ''];
  });
  return new Map(await Promise.all(described));
}
