import type { LinkStatus, MatrixStatus } from '../relay/ports.ts';

/** How one side of the relay is. */
export interface SideHealth {
  /** `matrix`, or `radio:<name>`. */
  readonly name: string;
  readonly status: 'starting' | 'up' | 'retrying';
  /** Plain words; null while all is well. */
  readonly reason: string | null;
}

export interface HealthInput {
  readonly phase: 'starting' | 'running' | 'stopping';
  readonly storeOpen: boolean;
  readonly matrix: SideHealth;
  readonly radios: readonly SideHealth[];
  readonly requires: 'auto' | 'any' | 'matrix' | 'radio' | 'both';
  /** Readiness was reached before in this run. */
  readonly wasReady: boolean;
  /** Further troubles, as `the disk is nearly full`. */
  readonly troubles: readonly string[];
}

export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly reason: string | null;
}

export interface HealthReport {
  readonly state: 'starting' | 'ready' | 'degraded' | 'stopping';
  /** What /readyz answers. */
  readonly ready: boolean;
  readonly reasons: readonly string[];
  readonly checks: readonly HealthCheck[];
}

/**
 * The state of the whole from the states of its parts. Pure.
 *
 * `requires` names the sides that must be up. `auto`: the first time, each side must be up or have tried and failed, so
 * that an absent radio does not hold up a start for ever; from then on, one side up is enough.
 * Several radios are up when one of them is.
 */
export function assessHealth(input: HealthInput): HealthReport {
  const checks: HealthCheck[] = [
    { name: 'store', ok: input.storeOpen, reason: input.storeOpen ? null : 'the database is not open' },
    ...[input.matrix, ...input.radios].map(sideCheck),
  ];
  const reasons = [...checks.filter(({ ok }) => !ok).map((check) => check.reason ?? check.name), ...input.troubles];
  if (input.phase === 'stopping') return { state: 'stopping', ready: false, reasons, checks };
  const ready = input.phase === 'running' && input.storeOpen && sidesReady(input);
  if (!ready && !input.wasReady) return { state: 'starting', ready: false, reasons, checks };
  return { state: ready && reasons.length === 0 ? 'ready' : 'degraded', ready, reasons, checks };
}

function sideCheck(side: SideHealth): HealthCheck {
  const ok = side.status === 'up';
  return { name: side.name, ok, reason: ok ? null : `${side.name}: ${side.reason ?? side.status}` };
}

function sidesReady({ requires, wasReady, matrix, radios }: HealthInput): boolean {
  const matrixUp = matrix.status === 'up';
  const radioUp = radios.some(({ status }) => status === 'up');
  switch (requires) {
    case 'matrix':
      return matrixUp;
    case 'radio':
      return radioUp;
    case 'both':
      return matrixUp && radioUp;
    case 'any':
      return matrixUp || radioUp;
    case 'auto':
      return wasReady ? matrixUp || radioUp : [matrix, ...radios].every(({ status }) => status !== 'starting');
  }
}

/** The health of a radio from its link; `releasedUntilMs` while it is let go for somebody else. */
export function radioHealth(
  name: string,
  link: { readonly status: LinkStatus; readonly attempts: number; readonly reason: string | null },
  releasedUntilMs: number | null,
): SideHealth {
  if (releasedUntilMs !== null) {
    const until = `${new Date(releasedUntilMs).toISOString().slice(0, 16)}Z`;
    return { name: `radio:${name}`, status: 'retrying', reason: `released until ${until}` };
  }
  // An asleep radio is where it should be: it takes what we send when it wakes.
  const up = link.status === 'ready' || link.status === 'asleep';
  const tried = link.attempts > 0 || link.status === 'backing-off' || link.status === 'kicked';
  return {
    name: `radio:${name}`,
    status: up ? 'up' : tried ? 'retrying' : 'starting',
    reason: up ? null : reason(link),
  };
}

/** The health of the Matrix side. */
export function matrixHealth(link: {
  readonly status: MatrixStatus;
  readonly attempts: number;
  readonly reason: string | null;
}): SideHealth {
  const up = link.status === 'syncing';
  const tried = link.attempts > 0 || link.status === 'backing-off' || link.status === 'logged-out';
  return { name: 'matrix', status: up ? 'up' : tried ? 'retrying' : 'starting', reason: up ? null : reason(link) };
}

function reason(link: { readonly status: string; readonly reason: string | null }): string {
  return link.reason ?? link.status;
}
