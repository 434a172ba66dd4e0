import { afterAll, beforeAll, describe } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { adapterSuite } from './support/adapter-suite.ts';

describe('Matrix adapter against the in-memory homeserver', () => {
  let homeserver: Homeserver;
  beforeAll(async () => {
    homeserver = await createHomeserver();
  });
  afterAll(() => homeserver.close());
  adapterSuite(() => ({
    baseUrl: homeserver.baseUrl,
    serverName: homeserver.serverName,
    registerUser: async (name, password) => homeserver.registerUser(name, password),
  }));
});
