import { writeCredentials } from '../../../src/matrix/auth/credentials-file.ts';
import { createHomeserver } from '../../../src/sandbox/homeserver/homeserver.ts';
import type { Outage } from '../../../src/sandbox/homeserver/outage.ts';
import type { Clock } from '../../../src/util/clock.ts';
import type { PersonSession } from '../../support/person.ts';

/** A way for the homeserver to be away. */
export interface ChaosOutage {
  readonly name: string;
  begin(): Promise<void>;
  end(): Promise<void>;
}

export interface Registered extends Omit<PersonSession, 'baseUrl'> {
  readonly deviceId: string;
}

/** A homeserver as the storm needs it: the double or Synapse. */
export interface ChaosHomeserver {
  /** Where the relay finds it; outages happen here. */
  readonly relayUrl: string;
  /** Where people find it. */
  readonly peopleUrl: string;
  readonly outages: readonly ChaosOutage[];
  registerUser(name: string): Promise<Registered>;
  close(): Promise<void>;
}

const KINDS: readonly Outage[] = [
  { kind: 'refuse' },
  { kind: 'hang' },
  { kind: 'bad-gateway' },
  { kind: 'internal-error' },
  { kind: 'drop-answer' },
  { kind: 'rate-limited', retryAfterMs: 2_000 },
  { kind: 'web-page' },
  { kind: 'old-sync' },
];
/** A catch-up of more than this is a limited timeline, which the relay has to fill itself. */
const TIMELINE_CAP = 4;

/** The in-memory homeserver. Its outages meet the people at the clients as well. */
export async function memoryHomeserver(clock: Clock): Promise<ChaosHomeserver> {
  const server = await createHomeserver({ clock, serverName: 'chaos.local' });
  server.tuning.timelineCap = TIMELINE_CAP;
  return {
    relayUrl: server.baseUrl,
    peopleUrl: server.baseUrl,
    outages: KINDS.map((outage) => ({
      name: outage.kind,
      begin: () => server.setOutage(outage),
      end: () => server.setOutage(null),
    })),
    registerUser: (name) => Promise.resolve(server.registerUser(name, 'chaos')),
    close: () => server.close(),
  };
}

/** Gives the relay in `home` its account. */
export function signInRelay(home: string, homeserver: string, bot: Registered): void {
  const { accessToken, deviceId, userId } = bot;
  writeCredentials(`${home}/credentials.json`, { homeserver, accessToken, deviceId, userId });
}
