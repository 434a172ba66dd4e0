import type { RoomEvent } from '../ports.ts';
import type { RoomRoute } from '../settings.ts';
import type { WorldView } from './view.ts';

/** `@*:example.org` and `@bot*:*` are patterns; anything else is an exact user id. */
function matches(patterns: readonly string[], userId: string): boolean {
  return patterns.some((pattern) => {
    if (!pattern.includes('*')) return pattern === userId;
    const source = pattern
      .split('*')
      .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
      .join('.*');
    return new RegExp(`^${source}$`, 's').test(userId);
  });
}

/** Why this sender may not transmit from this room, in words for them; null when they may. */
export function refusal(event: RoomEvent, route: RoomRoute, view: WorldView): string | null {
  if (matches(route.deny, event.sender)) return 'you are not allowed to transmit from this room';
  if (route.allow.length > 0 && !matches(route.allow, event.sender)) return 'only listed users transmit from this room';
  if (route.minPowerLevel === null) return null;
  const level = view.powerLevel(event.roomId, event.sender) ?? 0;
  return level >= route.minPowerLevel ? null : `transmitting from this room needs power level ${route.minPowerLevel}`;
}
