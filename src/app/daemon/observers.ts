import type { RelayObserver } from '../../relay/observer.ts';

/** One observer out of several; each hears what it has a method for, in this order. */
export function observers(all: readonly Partial<RelayObserver>[]): RelayObserver {
  const tell =
    <K extends keyof RelayObserver>(event: K) =>
    (...what: Parameters<NonNullable<RelayObserver[K]>>): void => {
      // Each event has one type of arguments; the compiler cannot follow that through the key.
      for (const one of all) (one[event] as ((...words: typeof what) => void) | undefined)?.(...what);
    };
  return {
    onMatrixState: tell('onMatrixState'),
    onRadioState: tell('onRadioState'),
    onRadioInfo: tell('onRadioInfo'),
    onNotification: tell('onNotification'),
    onPacket: tell('onPacket'),
    onRoomEvent: tell('onRoomEvent'),
    onUndecryptable: tell('onUndecryptable'),
    onDropped: tell('onDropped'),
    onRoomOutcome: tell('onRoomOutcome'),
    onRadioOutcome: tell('onRadioOutcome'),
  };
}
