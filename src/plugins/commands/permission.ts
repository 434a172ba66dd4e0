import type { Json, RoomMessage } from '../api.ts';

/** Who may use a plugin's commands, from its entry of the configuration. */
export interface CommandPolicy {
  /** Rooms where they work, as configured; empty: all. */
  readonly rooms: readonly string[];
  /** Users (`@*:example.org` is a pattern) and nodes (`!a1b2c3d4`); empty: all. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  readonly minPowerLevel: number | null;
  /** null: the command's own. */
  readonly cooldownMs: number | null;
}

/** The keys `rooms`, `allow`, `deny`, `min_power_level` and `cooldown` (seconds) of a plugin's entry. */
export function readPolicy(settings: Readonly<Record<string, unknown>>): CommandPolicy {
  const number = (value: unknown): number | null =>
    typeof value === 'number' && Number.isFinite(value) ? value : null;
  const cooldownS = number(settings.cooldown);
  return {
    rooms: texts(settings.rooms),
    allow: texts(settings.allow),
    deny: texts(settings.deny),
    minPowerLevel: number(settings.min_power_level),
    cooldownMs: cooldownS === null ? null : Math.max(0, cooldownS * 1_000),
  };
}

function texts(value: unknown): readonly string[] {
  const list = Array.isArray(value) ? (value as readonly Json[]) : [value];
  return list.filter((item) => typeof item === 'string');
}

export interface PermissionContext {
  readonly policy: CommandPolicy;
  readonly adminOnly: boolean;
  readonly admins: readonly string[];
  readonly powerLevel: (roomId: string, userId: string) => number | null;
}

/** Why a room member may not use a command, in words for them; null when they may. */
export function roomRefusal(
  message: RoomMessage,
  { policy, adminOnly, admins, powerLevel }: PermissionContext,
): string | null {
  const { sender, room, roomId } = message;
  const isAdmin = admins.includes(sender);
  if (adminOnly) return isAdmin ? null : 'this command is for the admins of the relay';
  if (matchesAny(policy.deny, sender)) return 'you may not use this command';
  if (policy.rooms.length > 0 && !policy.rooms.includes(room) && !policy.rooms.includes(roomId))
    return 'this command does not work in this room';
  if (isAdmin) return null;
  if (policy.allow.length > 0 && !matchesAny(policy.allow, sender)) return 'only listed users may use this command';
  if (policy.minPowerLevel === null) return null;
  const level = powerLevel(roomId, sender) ?? 0;
  return level >= policy.minPowerLevel ? null : `this command needs power level ${policy.minPowerLevel}`;
}

/** The same for a node of the mesh. A node's id proves nothing, so nothing of worth may hang on it. */
export function meshRefusal(
  nodeId: string,
  { policy, adminOnly }: Pick<PermissionContext, 'policy' | 'adminOnly'>,
): string | null {
  if (adminOnly) return 'this command does not work from the mesh';
  const listsNodes = policy.allow.some((entry) => entry.startsWith('!'));
  if (matchesAny(policy.deny, nodeId)) return 'this node may not use this command';
  return listsNodes && !matchesAny(policy.allow, nodeId) ? 'only listed nodes may use this command' : null;
}

/** `*` stands for anything; the rest must be equal. */
function matchesAny(patterns: readonly string[], id: string): boolean {
  return patterns.some((pattern) => {
    const parts = pattern.split('*');
    const source = parts.map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('.*');
    return parts.length === 1 ? pattern === id : new RegExp(`^${source}$`, 's').test(id);
  });
}
