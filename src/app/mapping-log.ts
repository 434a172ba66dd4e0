import type { RelayObserver } from '../relay/observer.ts';
import type { RelaySettings } from '../relay/settings.ts';
import type { Logger } from '../util/logger.ts';

/** Warns, at each connect, of what the radio is not set up for: nothing else would ever say why such a room stays silent. */
export function mappingLog(settings: RelaySettings, logger: Logger): Partial<RelayObserver> {
  const log = logger.child('radio');
  return {
    onRadioInfo: (radio, { channels, lora }) => {
      if (lora?.region === 'UNSET')
        log.warn('The region of the radio is not set: it neither sends nor hears until that is done', { radio });
      if (channels.length === 0) return;
      const inUse = new Set(channels.filter(({ role }) => role !== 'disabled').map(({ index }) => index));
      for (const { room, channel } of settings.routes.filter(
        (route) => route.radio === radio && !inUse.has(route.channel),
      ))
        log.warn('A room belongs to a channel that is not in use on the radio', { radio, room, channel });
    },
  };
}
