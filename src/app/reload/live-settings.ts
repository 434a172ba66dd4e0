import type { RelaySettings } from '../../relay/settings.ts';

export interface LiveSettings {
  /** Always reads what was set last; what decides once, at the start, keeps what it read. */
  readonly settings: RelaySettings;
  replace(next: RelaySettings): void;
}

/** Settings that a reload replaces under the engine, between two messages. One per daemon. */
export function liveSettings(initial: RelaySettings): LiveSettings {
  const held = { current: initial };
  const settings = new Proxy({ ...initial }, { get: (_target, name) => Reflect.get(held.current, name) });
  return {
    settings,
    replace: (next) => {
      held.current = next;
    },
  };
}
