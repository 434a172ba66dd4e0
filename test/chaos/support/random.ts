/** Mulberry32: a small seeded generator, so that a storm can be blown again. Values in [0, 1). */
export function seededRandom(seed: number): () => number {
  const state = { value: seed >>> 0 };
  return () => {
    state.value = (state.value + 0x6d2b79f5) >>> 0;
    let mixed = state.value;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function shuffled<T>(items: readonly T[], random: () => number): readonly T[] {
  return items
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item);
}

/** Of MMRELAY_CHAOS_<name>. */
export function chaosSize(name: string, otherwise: number): number {
  const given = Number(process.env[`MMRELAY_CHAOS_${name}`]);
  return Number.isInteger(given) && given > 0 ? given : otherwise;
}

/** Of MMRELAY_CHAOS_SEED, else by the time of day. */
export function chaosSeed(): number {
  return chaosSize('SEED', Date.now() % 1_000_000);
}
