import { afterAll, beforeAll, describe } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { trustSuite } from './support/trust-suite.ts';

describe('Trust on the in-memory homeserver', { timeout: 60_000 }, () => {
  let homeserver: Homeserver;
  beforeAll(async () => {
    homeserver = await createHomeserver();
  });
  afterAll(() => homeserver.close());
  trustSuite(() => ({
    baseUrl: homeserver.baseUrl,
    serverName: homeserver.serverName,
    registerUser: async (name, password) => homeserver.registerUser(name, password),
  }));
});
