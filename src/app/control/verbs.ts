import { RelayError } from '../../util/relay-error.ts';
import type { Daemon } from '../daemon/daemon.ts';
import type { ReloadOutcome } from '../reload/reloader.ts';
import type { ControlRequest } from './protocol.ts';
import type { VerbHandlers } from './server.ts';

/** What the command line may ask of a running relay. */
export function controlVerbs(
  daemon: Pick<Daemon, 'status' | 'releases'>,
  reload: () => Promise<ReloadOutcome>,
): VerbHandlers {
  return {
    status: () => daemon.status(),
    'radio-release': (args) => daemon.releases.release(radioOf(args), forMsOf(args)),
    'radio-claim': (args) => daemon.releases.claim(radioOf(args)),
    reload: () => reload(),
  };
}

function radioOf({ radio = null }: ControlRequest['args']): string | null {
  if (radio === null || typeof radio === 'string') return radio;
  throw new RelayError('CONTROL_REQUEST', 'radio must be a name');
}

function forMsOf({ forMs }: ControlRequest['args']): number {
  if (typeof forMs === 'number') return forMs;
  throw new RelayError('CONTROL_REQUEST', 'forMs must be a number');
}
