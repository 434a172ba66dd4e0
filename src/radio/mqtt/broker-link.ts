import { readFile } from 'node:fs/promises';
import type { MqttClient } from 'mqtt';
import { errorText, RETRY_LATER, RelayError } from '../../util/relay-error.ts';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  /** PEM of a broker, or of its authority, that the system does not know. Read at each attempt: it may be renewed. */
  readonly caFile: string | null;
  readonly username: string | null;
  readonly password: string | null;
}

export interface BrokerHandlers {
  onMessage(topic: string, payload: Uint8Array): void;
  /** At most once, after a successful connect and not after `close`. */
  onClosed(reason: string): void;
}

/** One connection to a broker, with its subscriptions. Single use. */
export interface BrokerLink {
  /** Resolves when the broker has it. @throws RelayError RADIO_WRITE_FAILED (later, uncertain) */
  publish(topic: string, payload: Uint8Array): Promise<void>;
  /** Resolves when it is closed; no handler is called from now on. */
  close(): Promise<void>;
}

export interface BrokerRequest {
  readonly address: BrokerAddress;
  /** The broker keeps the subscriptions, and what comes on them at QoS 1, under this name while we are away. */
  readonly clientId: string;
  readonly topics: readonly string[];
  readonly handlers: BrokerHandlers;
  readonly signal: AbortSignal;
}

/** Connects and subscribes. @throws RelayError RADIO_UNREACHABLE (later); its message tells the operator what to look at */
export type ConnectBroker = (request: BrokerRequest) => Promise<BrokerLink>;

const CONNECT_TIMEOUT_MS = 10_000;
/** A broker that is gone without a word is noticed within one and a half of these. */
const KEEPALIVE_S = 30;
const QOS = 1;

const UNKNOWN_AUTHORITY = 'nobody this system knows vouches for the certificate of the broker: set mqtt.ca_file to it';
const ADVICE: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'the host answers, but nothing listens on that port',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the host name cannot be looked up at the moment',
  EHOSTUNREACH: 'no route to that address',
  ENETUNREACH: 'no network',
  ETIMEDOUT: 'no answer',
  ECONNRESET: 'the broker hung up; is that its port for TLS, or for plain connections?',
  DEPTH_ZERO_SELF_SIGNED_CERT: UNKNOWN_AUTHORITY,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_AUTHORITY,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_AUTHORITY,
  CERT_HAS_EXPIRED: 'the certificate of the broker has expired (or the clock here is wrong)',
  ERR_TLS_CERT_ALTNAME_INVALID: 'the certificate of the broker is for another host name',
  '4': 'the broker refuses the user name or password',
  '5': 'the broker does not authorize us (user name, password or its access list)',
  '135': 'the broker does not authorize us (user name, password or its access list)',
};

/** The real thing: package `mqtt`, loaded when it is first needed. */
export const connectBroker: ConnectBroker = async (request) => {
  // The default export: a bundler keeps no names of a CommonJS module that is loaded late.
  const { connect } = (await import('mqtt')).default;
  const { host, port, tls, caFile, username, password } = request.address;
  const ca = tls && caFile !== null ? await readCertificate(caFile) : null;
  const client = connect({
    protocol: tls ? 'mqtts' : 'mqtt',
    host,
    port,
    ...(ca === null ? {} : { ca }),
    ...(username === null ? {} : { username }),
    ...(password === null ? {} : { password }),
    clientId: request.clientId,
    clean: false,
    // One attempt per link: the backoff is the link machine's.
    reconnectPeriod: 0,
    connectTimeout: CONNECT_TIMEOUT_MS,
    keepalive: KEEPALIVE_S,
  });
  const link = new MqttLink(client, request.handlers);
  try {
    await link.join(request.topics, request.signal);
    return link;
  } catch (error) {
    await link.close();
    throw new RelayError('RADIO_UNREACHABLE', `cannot use the broker at ${host}:${port}: ${errorText(error)}`, {
      retry: RETRY_LATER,
      cause: error,
    });
  }
};

/** Holds one client of the package. Invariants: no handler is called after `close`; `onClosed` only once it was up. */
class MqttLink implements BrokerLink {
  readonly #client: MqttClient;
  readonly #handlers: BrokerHandlers;
  #isUp = false;
  #isClosed = false;
  #reason = 'the broker closed the connection';

  constructor(client: MqttClient, handlers: BrokerHandlers) {
    this.#client = client;
    this.#handlers = handlers;
    client.on('message', (topic, payload, { retain }) => {
      // Kept by the broker for whoever comes: of unknown age, and no packet that is on the air now.
      if (!this.#isClosed && !retain) handlers.onMessage(topic, new Uint8Array(payload));
    });
    client.on('error', (error) => {
      this.#reason = explain(error);
    });
    client.on('close', () => this.#onClose());
  }

  /** Resolves when it is connected and subscribed: what is published from now on reaches us. */
  async join(topics: readonly string[], signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const fail = (): void => reject(new Error(signal.aborted ? 'cancelled' : this.#reason));
      signal.addEventListener('abort', fail, { once: true });
      this.#client.once('error', fail).once('close', () => {
        signal.removeEventListener('abort', fail);
        fail();
      });
      this.#client.once('connect', () => {
        this.#client.subscribeAsync([...topics], { qos: QOS }).then(() => resolve(), reject);
      });
      if (signal.aborted) fail();
    });
    this.#isUp = true;
  }

  async publish(topic: string, payload: Uint8Array): Promise<void> {
    try {
      if (this.#isClosed) throw new Error('the link is closed');
      await this.#client.publishAsync(topic, Buffer.from(payload), { qos: QOS });
    } catch (error) {
      const options = { retry: RETRY_LATER, certain: false, cause: error };
      throw new RelayError('RADIO_WRITE_FAILED', `publishing failed: ${errorText(error)}`, options);
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await new Promise<void>((resolve) => {
      this.#client.end(true, {}, () => resolve());
    });
  }

  #onClose(): void {
    const wasUp = this.#isUp && !this.#isClosed;
    this.#isClosed = true;
    if (wasUp) this.#handlers.onClosed(this.#reason);
  }
}

async function readCertificate(path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    const why = `mqtt.ca_file cannot be read: ${errorText(error)}`;
    throw new RelayError('RADIO_UNREACHABLE', why, { retry: RETRY_LATER, cause: error });
  }
}

function explain(error: Error & { readonly code?: unknown }): string {
  return ADVICE[String(error.code)] ?? error.message;
}
