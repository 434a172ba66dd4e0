/** One thing that is wrong, or worth saying, about the configuration. */
export interface Problem {
  /** error: does not start. warning: starts, and something is ignored. note: works, could be written better. */
  readonly severity: 'error' | 'warning' | 'note';
  /** null when it comes from the environment alone. */
  readonly file: string | null;
  /** Counted from 1. */
  readonly line: number;
  readonly column: number;
  /** The environment variable it comes from, or null. */
  readonly variable: string | null;
  /** As `meshtastic.host` or `matrix_rooms[1].id`; empty for the file as a whole. */
  readonly path: string;
  /** A sentence without the place. */
  readonly message: string;
  /** The value as written; null when there is none, or when it is a secret. */
  readonly value: string | null;
  readonly expected: string | null;
  /** The known key that was probably meant. */
  readonly nearest: string | null;
  /** What to do. */
  readonly remedy: string | null;
}

/** A problem of a file as a whole. */
export function fileProblem(file: string | null, message: string, rest: Partial<Problem> = {}): Problem {
  return {
    severity: 'error',
    file,
    line: 1,
    column: 1,
    variable: null,
    path: '',
    message,
    value: null,
    expected: null,
    nearest: null,
    remedy: null,
    ...rest,
  };
}

export type Path = readonly (string | number)[];

/** `matrix_rooms[1].id`. */
export function pathText(path: Path): string {
  return path.map((step, index) => (typeof step === 'number' ? `[${step}]` : index === 0 ? step : `.${step}`)).join('');
}

const MAX_VALUE_LENGTH = 80;

/** A value on one short line. */
export function valueText(value: unknown): string {
  const text = typeof value === 'string' ? JSON.stringify(value) : (safeJson(value) ?? String(value));
  const points = [...text];
  return points.length > MAX_VALUE_LENGTH ? `${points.slice(0, MAX_VALUE_LENGTH - 1).join('')}…` : text;
}

function safeJson(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    return null; // bigint, a cycle: String() has to do
  }
}

/** Where a problem is: `config.yaml:3:5`, `MMRELAY_HOME` or the file. */
function placeText(problem: Problem): string {
  if (problem.variable !== null) return problem.variable;
  return `${problem.file ?? 'configuration'}:${problem.line}:${problem.column}`;
}

/** Problems as lines for a person, in the order of severity and place. No colours, nothing secret. */
export function renderProblems(problems: readonly Problem[]): string[] {
  return sortProblems(problems).flatMap((problem) => {
    const subject = problem.path === '' ? '' : `${problem.path}: `;
    const lines = [`${placeText(problem)}: ${problem.severity}: ${subject}${problem.message}`];
    if (problem.value !== null) lines.push(`    value:    ${problem.value}`);
    if (problem.expected !== null) lines.push(`    expected: ${problem.expected}`);
    if (problem.nearest !== null) lines.push(`    did you mean: ${problem.nearest}`);
    if (problem.remedy !== null) lines.push(`    remedy:   ${problem.remedy}`);
    return lines;
  });
}

const RANK = { error: 0, warning: 1, note: 2 } as const;

/** Errors first, then by place. */
function sortProblems(problems: readonly Problem[]): Problem[] {
  return [...problems].sort((a, b) => RANK[a.severity] - RANK[b.severity] || a.line - b.line || a.column - b.column);
}
