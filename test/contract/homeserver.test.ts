import { createHomeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { NO_RATE_LIMITS, STOCK_RATE_LIMITS } from '../../src/sandbox/homeserver/rate-limit.ts';
import { homeserverContract } from './homeserver-contract.ts';

homeserverContract('in-memory homeserver', async ({ rateLimits }) => {
  const server = await createHomeserver({ rateLimits: rateLimits === 'stock' ? STOCK_RATE_LIMITS : NO_RATE_LIMITS });
  return { baseUrl: server.baseUrl, registerUser: server.registerUser, stop: server.close };
});
