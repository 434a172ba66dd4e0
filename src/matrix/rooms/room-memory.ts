/** One durable fact about each room. */
export interface RoomMemory {
  get(roomId: string): string | null;
  set(roomId: string, value: string): void;
}

/** As long as the process. */
export function forgetfulMemory(): RoomMemory {
  const known = new Map<string, string>();
  return { get: (roomId) => known.get(roomId) ?? null, set: (roomId, value) => void known.set(roomId, value) };
}
