import type { RelayObserver } from '../relay/observer.ts';

/** One observer out of several; each hears everything, in this order. */
export function observers(all: readonly RelayObserver[]): RelayObserver {
  return {
    onMatrixState: (state) => {
      for (const one of all) one.onMatrixState(state);
    },
    onRadioState: (radio, state) => {
      for (const one of all) one.onRadioState(radio, state);
    },
    onRadioInfo: (radio, info) => {
      for (const one of all) one.onRadioInfo(radio, info);
    },
    onNotification: (radio, notification) => {
      for (const one of all) one.onNotification(radio, notification);
    },
    onPacket: (radio, packet, duplicate) => {
      for (const one of all) one.onPacket(radio, packet, duplicate);
    },
    onRoomEvent: (event) => {
      for (const one of all) one.onRoomEvent(event);
    },
    onUndecryptable: (event) => {
      for (const one of all) one.onUndecryptable?.(event);
    },
    onDropped: (row, reason) => {
      for (const one of all) one.onDropped(row, reason);
    },
    onRoomOutcome: (row, delivery, outcome) => {
      for (const one of all) one.onRoomOutcome(row, delivery, outcome);
    },
    onRadioOutcome: (row, delivery, outcome) => {
      for (const one of all) one.onRadioOutcome(row, delivery, outcome);
    },
  };
}
