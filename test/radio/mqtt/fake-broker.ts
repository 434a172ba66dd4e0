import type { BrokerHandlers, ConnectBroker } from '../../../src/radio/mqtt/broker-link.ts';
import { RETRY_LATER, RelayError } from '../../../src/util/relay-error.ts';

interface Client {
  readonly topics: readonly string[];
  readonly handlers: BrokerHandlers;
}

/** A broker in the process: gives what is published to all whose subscription fits, its author included. */
export class FakeBroker {
  readonly published: { readonly topic: string; readonly payload: Uint8Array }[] = [];
  readonly clients = new Set<Client>();
  isUp = true;
  attempts = 0;
  /** Given to each client while it connects, as a broker does that kept them. */
  onConnect: { readonly topic: string; readonly payload: Uint8Array }[] = [];

  readonly connect: ConnectBroker = (request) => {
    this.attempts += 1;
    if (!this.isUp) return Promise.reject(new RelayError('RADIO_UNREACHABLE', 'no broker', { retry: RETRY_LATER }));
    const client = { topics: request.topics, handlers: request.handlers };
    this.clients.add(client);
    for (const { topic, payload } of this.onConnect) client.handlers.onMessage(topic, payload);
    return Promise.resolve({
      publish: (topic, payload) => {
        this.publish(topic, payload);
        return Promise.resolve();
      },
      close: () => {
        this.clients.delete(client);
        return Promise.resolve();
      },
    });
  };

  publish(topic: string, payload: Uint8Array): void {
    this.published.push({ topic, payload });
    for (const { topics, handlers } of this.clients)
      if (topics.some((filter) => fits(filter, topic))) handlers.onMessage(topic, payload);
  }

  /** Ends all connections. */
  cut(reason: string): void {
    for (const client of [...this.clients]) {
      this.clients.delete(client);
      client.handlers.onClosed(reason);
    }
  }
}

function fits(filter: string, topic: string): boolean {
  const wanted = filter.split('/');
  const given = topic.split('/');
  return wanted.length === given.length && wanted.every((part, at) => part === '+' || part === given[at]);
}
