import type { RadioPort } from '../../relay/ports.ts';
import type { RelaySettings } from '../../relay/settings.ts';
import type { Logger } from '../../util/logger.ts';

/** Warns of what a radio is not set up for: nothing else would ever say why such a room stays silent. */
export function warnOfMappings(
  { name, info }: Pick<RadioPort, 'name'> & { readonly info: ReturnType<RadioPort['info']> },
  settings: RelaySettings,
  logger: Logger,
): void {
  if (info === null) return;
  const { channels, lora } = info;
  const log = logger.child('radio');
  if (lora?.region === 'UNSET')
    log.warn('The region of the radio is not set: it neither sends nor hears until that is done', { radio: name });
  if (channels.length === 0) return;
  const inUse = new Set(channels.filter(({ role }) => role !== 'disabled').map(({ index }) => index));
  for (const { room, radio, channel } of settings.routes) {
    if (radio === name && !inUse.has(channel))
      log.warn('A room belongs to a channel that is not in use on the radio', { radio, room, channel });
  }
}
