import type { Spot } from './view.ts';

/** A node as the map shows it. */
export interface MapNode extends Spot {
  readonly id: string;
  readonly shortName: string;
  /** Heard within a day. */
  readonly fresh: boolean;
}

/**
 * Radius in metres of the circle a position of so many bits of precision may lie in; 0 for an exact one.
 * (Meshtastic clients: half the width of a cell of 2^(32 - bits) steps of 1e-7 degrees.)
 */
export function precisionRadiusM(bits: number): number {
  return bits > 0 && bits < 32 ? 23_905_787.925008 * 0.5 ** bits : 0;
}
