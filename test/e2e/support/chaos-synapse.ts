import type { ChaosHomeserver, ChaosOutage } from '../../chaos/support/chaos-homeserver.ts';
import { HomeserverProxy, type ProxyOutage } from './homeserver-proxy.ts';
import { startSynapse } from './synapse.ts';

const PROXY_OUTAGES: readonly ProxyOutage[] = [
  'refuse',
  'hang',
  'bad-gateway',
  'drop-answer',
  'rate-limited',
  'web-page',
];

/** Synapse behind a proxy that fails on demand; every fourth outage ends the Synapse process itself. */
export async function chaosSynapse(factor: number): Promise<ChaosHomeserver> {
  const synapse = await startSynapse({ rateLimits: 'off' });
  const proxy = new HomeserverProxy({ target: synapse.baseUrl, factor });
  await proxy.open();
  const atProxy = (kind: ProxyOutage): ChaosOutage => ({
    name: kind,
    begin: () => proxy.setOutage(kind),
    end: () => proxy.setOutage(null),
  });
  const ended = (name: string, end: () => Promise<void>): ChaosOutage => ({
    name,
    begin: end,
    end: () => synapse.restart(),
  });
  return {
    relayUrl: proxy.baseUrl,
    peopleUrl: synapse.baseUrl,
    outages: [
      ...PROXY_OUTAGES.map(atProxy),
      ended('Synapse killed', () => synapse.kill()),
      ended('Synapse stopped', () => synapse.halt()),
    ],
    registerUser: (name) => synapse.registerUser(name, 'chaos'),
    close: async () => {
      await proxy.close();
      await synapse.stop();
    },
  };
}
