import type { RadioInfo, RadioPort } from '../../relay/ports.ts';
import type { RelaySettings } from '../../relay/settings.ts';
import type { Logger } from '../../util/logger.ts';

/** Warns of what a radio is not set up for: nothing else would ever say why such a room stays silent. */
export function warnOfMappings(
  { name, info }: Pick<RadioPort, 'name'> & { readonly info: ReturnType<RadioPort['info']> },
  settings: RelaySettings,
  logger: Logger,
): void {
  if (info === null) return;
  const log = logger.child('radio');
  if (info.lora?.region === 'UNSET')
    log.warn('The region of the radio is not set: it neither sends nor hears until that is done', { radio: name });
  for (const { room, radio, channel } of roomsWithoutChannel({ name, info }, settings.routes))
    log.warn('A room belongs to a channel that is not in use on the radio', { radio, room, channel });
}

type Route = Pick<RelaySettings['routes'][number], 'room' | 'radio' | 'channel'>;

/** Rooms whose channel is not in use on their radio; none while it has told no channels. */
export function roomsWithoutChannel(
  { name, info: { channels } }: { readonly name: string; readonly info: RadioInfo },
  routes: readonly Route[],
): readonly Route[] {
  if (channels.length === 0) return [];
  const inUse = new Set(channels.filter(({ role }) => role !== 'disabled').map(({ index }) => index));
  return routes.filter(({ radio, channel }) => radio === name && !inUse.has(channel));
}
