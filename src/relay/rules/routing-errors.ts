/** What an answer of the radio means for the packet it speaks of. */
export type RadioVerdict =
  | { readonly kind: 'accepted' }
  | { readonly kind: 'acknowledged' }
  /** Not on air; worth another try with a new packet id after a while. */
  | { readonly kind: 'retry'; readonly afterMs: number; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string };

const MINUTE_MS = 60_000;

/** Routing.Error by name (mesh.proto) in words for the person whose message it was. */
const FAILURES: Readonly<Record<string, string>> = {
  NO_ROUTE: 'no route to the node',
  GOT_NAK: 'a node on the way refused it',
  TIMEOUT: 'no answer in time',
  MAX_RETRANSMIT: 'nobody acknowledged it',
  NO_CHANNEL: 'the addressee does not share the channel or key',
  TOO_LARGE: 'too large for one packet',
  NO_RESPONSE: 'the addressee did not respond',
  BAD_REQUEST: 'the radio refused it as invalid',
  NOT_AUTHORIZED: 'not authorized',
  PKI_FAILED: 'encryption to the node failed',
  PKI_UNKNOWN_PUBKEY: "the node's public key is unknown",
  PKI_SEND_FAIL_PUBLIC_KEY: "the node's public key is not known to the radio",
};

/**
 * A routing answer. A refusal before transmission (rate limit, duty cycle, no interface) is retried; the firmware has
 * already noted the packet id then and would ignore a resend of it (PhoneAPI.cpp wasSeenRecently), hence a new id.
 */
export function routingVerdict(error: string, broadcast: boolean): RadioVerdict {
  switch (error) {
    case 'NONE':
      return { kind: 'acknowledged' };
    case 'RATE_LIMIT_EXCEEDED':
      return { kind: 'retry', afterMs: 2_500, reason: 'the radio takes one text every two seconds' };
    case 'DUTY_CYCLE_LIMIT':
      return { kind: 'retry', afterMs: MINUTE_MS, reason: 'the duty cycle of the region is used up' };
    case 'NO_INTERFACE':
      return { kind: 'retry', afterMs: 10_000, reason: 'the radio has no transmitter ready' };
    case 'MAX_RETRANSMIT':
      // A broadcast that no neighbour repeated may still have been heard: it is on air, which is all that is known.
      return broadcast ? { kind: 'accepted' } : { kind: 'failed', reason: FAILURES.MAX_RETRANSMIT ?? error };
    default:
      return { kind: 'failed', reason: FAILURES[error] ?? `the radio said ${error}` };
  }
}

/**
 * QueueStatus.res: 0, an ERRNO of the firmware's radio interface (RadioInterface.h: 32 unknown, which is a full queue;
 * 33 no interfaces; 34 transmitter disabled), or a Routing.Error number from Router::send.
 */
export function queueVerdict(res: number): RadioVerdict {
  switch (res) {
    case 0:
    case 35: // ERRNO_SHOULD_RELEASE: taken by an interface that does not keep the packet.
      return { kind: 'accepted' };
    case 6:
      return { kind: 'failed', reason: 'the radio has no such channel' };
    case 7:
      return { kind: 'failed', reason: FAILURES.TOO_LARGE ?? '' };
    case 9:
      return { kind: 'retry', afterMs: MINUTE_MS, reason: 'the duty cycle of the region is used up' };
    case 32:
      return { kind: 'retry', afterMs: 5_000, reason: "the radio's queue is full" };
    case 33:
      return { kind: 'retry', afterMs: 10_000, reason: 'the radio has no transmitter ready' };
    case 34:
      return { kind: 'retry', afterMs: MINUTE_MS, reason: 'transmitting is off on the radio (region or tx_enabled)' };
    default:
      return { kind: 'failed', reason: `the radio refused it (code ${res})` };
  }
}
