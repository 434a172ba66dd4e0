import { type CommandMatch, matchCommand } from './room-command.ts';

export interface MeshCommandNames {
  readonly atStart: readonly string[];
  /** Those that may stand after other words. */
  readonly anywhere: readonly string[];
}

/** The command in a mesh text: `!name args` at the start, or after white space for names that allow it. */
export function matchMeshCommand(text: string, { atStart, anywhere }: MeshCommandNames): CommandMatch | null {
  const clean = text.trim();
  const first = matchCommand(clean, [...atStart, ...anywhere]);
  if (first !== null || anywhere.length === 0) return first;
  for (const { index } of clean.matchAll(/(?<=\s)!/g)) {
    const match = matchCommand(clean.slice(index), anywhere);
    if (match !== null) return match;
  }
  return null;
}
