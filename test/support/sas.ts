import { EventType, Preset } from 'matrix-js-sdk';
import {
  type ShowSasCallbacks,
  VerificationPhase,
  type VerificationRequest,
  VerificationRequestEvent,
  VerifierEvent,
} from 'matrix-js-sdk/lib/crypto-api/index.js';
import type { Requester, VerificationPolicy } from '../../src/matrix/crypto/verification.ts';
import type { CryptoUser } from './crypto-user.ts';

/** Makes new cross-signing keys of a person, and signs the device with them. */
export async function crossSign({ client, userId }: CryptoUser, password = ''): Promise<void> {
  await client.getCrypto()?.bootstrapCrossSigning({
    setupNewCrossSigning: true,
    authUploadDeviceSigningKeys: async (makeRequest) => {
      try {
        return await makeRequest(null);
      } catch (error) {
        if (password === '') throw error;
        const { session } = (error as { data: { session: string } }).data;
        const identifier = { type: 'm.id.user', user: userId };
        return makeRequest({ type: 'm.login.password', identifier, password, session });
      }
    },
  });
}

/** The person at the other end: begins once the relay is ready, and says that the emoji are the same. @returns them */
export async function confirmAsPerson(request: VerificationRequest): Promise<string[]> {
  // The SDK holds requests weakly, and a promise does not hold the function that will settle it: without a timer that
  // holds the request, both may be collected in the middle of the wait, which then never ends.
  const hold = setInterval(() => request.phase, 60_000);
  try {
    await reached(request, VerificationPhase.Ready);
    const verifier = await request.startVerification('m.sas.v1');
    const shown: string[] = [];
    const onSas = (sas: ShowSasCallbacks): void => {
      shown.push(...(sas.sas.emoji ?? []).map(([emoji, name]) => `${emoji} ${name}`));
      void sas.confirm();
    };
    verifier.on(VerifierEvent.ShowSas, onSas);
    await verifier.verify();
    return shown;
  } finally {
    clearInterval(hold);
  }
}

export function reached(request: VerificationRequest, phase: VerificationPhase): Promise<void> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      if (request.phase === phase) resolve();
      else if (request.phase === VerificationPhase.Cancelled) reject(new Error('the verification was cancelled'));
      else return;
      request.off(VerificationRequestEvent.Change, look);
    };
    request.on(VerificationRequestEvent.Change, look);
    look();
  });
}

/** A policy that takes requests of these users and believes, and what it was shown. */
export function recordingPolicy(users: readonly string[], isSame = true) {
  const shown: (readonly string[])[] = [];
  const ended: (readonly [string, boolean])[] = [];
  const asked: Requester[] = [];
  const policy: VerificationPolicy = {
    accepts: (requester) => {
      asked.push(requester);
      return users.includes(requester.userId);
    },
    compare: async (signs) => {
      shown.push(signs);
      return isSame;
    },
    onEnd: ({ userId }, isVerified) => void ended.push([userId, isVerified]),
  };
  return { policy, shown, ended, asked };
}

/** An encrypted room of two, to which the other is invited. @returns its id */
export async function directChat({ client }: CryptoUser, userId: string): Promise<string> {
  const encryption = { algorithm: 'm.megolm.v1.aes-sha2' };
  const { room_id } = await client.createRoom({
    preset: Preset.TrustedPrivateChat,
    is_direct: true,
    invite: [userId],
    initial_state: [{ type: EventType.RoomEncryption, state_key: '', content: encryption }],
  });
  const knowsInvite = () => client.getRoom(room_id)?.getMember(userId) ?? null;
  while (knowsInvite() === null) await new Promise((resolve) => setTimeout(resolve, 30));
  return room_id;
}
