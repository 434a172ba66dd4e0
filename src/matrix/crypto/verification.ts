/**
 * Interactive verification of our device and account by emoji (client-server API, "Short Authentication String"), asked
 * for by others: by to-device message, or in a room. One per session of DeviceCrypto; holds the flows under way.
 * Steps in a chat are sent by the SDK itself, unencrypted, as its own clients send them. They hold no secret.
 */

import type { MatrixClient, MatrixEvent } from 'matrix-js-sdk';
import type { ShowSasCallbacks, VerificationRequest, Verifier } from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { RoomEvent } from '../../relay/ports.ts';
import { type Clock, sleep } from '../../util/clock.ts';
import type { Logger } from '../../util/logger.ts';
import { errorText } from '../../util/relay-error.ts';

export interface Requester {
  readonly userId: string;
  /** null where it is not known yet. */
  readonly deviceId: string | null;
  /** Another session of our own account: it would get the secrets of the account. */
  readonly isOwnAccount: boolean;
}

/** Who may verify us, and who compares. */
export interface VerificationPolicy {
  accepts(requester: Requester): boolean;
  /** @param signs what both sides must see: seven emoji with their names, or three numbers */
  compare(signs: readonly string[], requester: Requester): Promise<boolean>;
  onEnd(requester: Requester, isVerified: boolean): void;
}

/** The part of the SDK's crypto that its types keep to itself. */
export interface VerificationBackend {
  onLiveEventFromSync(event: MatrixEvent): Promise<void>;
}

export interface VerificationContext {
  readonly client: MatrixClient;
  readonly backend: VerificationBackend;
  readonly sdk: typeof import('matrix-js-sdk') & typeof import('matrix-js-sdk/lib/crypto-api/index.js');
  readonly policy: VerificationPolicy;
  readonly clock: Clock;
  readonly logger: Logger;
}

/**
 * Before we answer a request. matrix-js-sdk, hence Element, knows a request of its own only some steps after its
 * homeserver has taken it: an answer that is quicker is lost there, and the verification hangs.
 */
const ANSWER_PAUSE_MS = 1_000;

export class Verifications {
  readonly #context: VerificationContext;
  /** The SDK holds its requests weakly. */
  readonly #running = new Set<VerificationRequest>();
  /** Events of rooms are taken one after the other. */
  #observed: Promise<void> = Promise.resolve();

  /** Takes up the requests that the policy accepts, while the client lives; others are left alone, for another session. */
  constructor(context: VerificationContext) {
    this.#context = context;
    const { client, sdk, logger } = context;
    client.on(sdk.CryptoEvent.VerificationRequestReceived, (request) => {
      this.#running.add(request);
      this.#take(request)
        .catch((error: unknown) => {
          logger.warn('A verification failed', { user: request.otherUserId, reason: errorText(error) });
        })
        .finally(() => this.#running.delete(request));
    });
  }

  /** An event of a room, decrypted. What is no part of a verification that may be is passed over. */
  observe(event: RoomEvent): void {
    const { client, backend, sdk, policy, logger } = this.#context;
    const { sender, roomId, eventId, type, content, timestampMs } = event;
    if (sender === client.getUserId() || !isVerification(event)) return;
    if (!policy.accepts({ userId: sender, deviceId: null, isOwnAccount: false })) return;
    const raw = { event_id: eventId, room_id: roomId, origin_server_ts: timestampMs, sender, type, content };
    this.#observed = this.#observed
      .then(() => backend.onLiveEventFromSync(new sdk.MatrixEvent(raw)))
      .catch((error: unknown) => logger.warn('A verification failed', { user: sender, reason: errorText(error) }));
  }

  async #take(request: VerificationRequest): Promise<void> {
    const { policy, sdk, clock, logger } = this.#context;
    const requester = {
      userId: request.otherUserId,
      deviceId: request.otherDeviceId ?? null,
      isOwnAccount: request.isSelfVerification,
    };
    if (!policy.accepts(requester)) {
      logger.info('Left a verification request alone', { user: requester.userId });
      return;
    }
    logger.info('Accepted a verification request', { user: requester.userId, device: requester.deviceId });
    await sleep(clock, ANSWER_PAUSE_MS);
    if (sdk.canAcceptVerificationRequest(request)) await request.accept();
    const verifier = await verifierOf(request, sdk);
    policy.onEnd(requester, verifier !== null && (await verify(verifier, requester, this.#context)));
  }
}

function isVerification({ type, content }: RoomEvent): boolean {
  if (type.startsWith('m.key.verification.')) return true;
  return type === 'm.room.message' && content.msgtype === 'm.key.verification.request';
}

/** The other side chooses the method once we are ready. null when the request ends before. */
function verifierOf(request: VerificationRequest, sdk: VerificationContext['sdk']): Promise<Verifier | null> {
  const { Cancelled, Done } = sdk.VerificationPhase;
  return new Promise((resolve) => {
    const look = (): void => {
      const hasEnded = request.phase === Cancelled || request.phase === Done;
      if (!hasEnded && request.verifier === undefined) return;
      request.off(sdk.VerificationRequestEvent.Change, look);
      resolve(hasEnded ? null : (request.verifier ?? null));
    };
    request.on(sdk.VerificationRequestEvent.Change, look);
    look();
  });
}

async function verify(verifier: Verifier, requester: Requester, context: VerificationContext): Promise<boolean> {
  const { policy, sdk, logger } = context;
  const show = (sas: ShowSasCallbacks): void => {
    policy
      .compare(signsOf(sas), requester)
      .then((isSame) => (isSame ? sas.confirm() : sas.mismatch()))
      .catch((error: unknown) => {
        logger.warn('A verification was given up', { user: requester.userId, reason: errorText(error) });
        sas.cancel();
      });
  };
  verifier.on(sdk.VerifierEvent.ShowSas, show);
  const shown = verifier.getShowSasCallbacks();
  if (shown !== null) show(shown);
  try {
    await verifier.verify();
    return true;
  } catch (error) {
    logger.info('A verification ended without result', { user: requester.userId, reason: errorText(error) });
    return false;
  }
}

function signsOf({ sas }: ShowSasCallbacks): readonly string[] {
  return sas.emoji?.map(([emoji, name]) => `${emoji} ${name}`) ?? (sas.decimal ?? []).map(String);
}
