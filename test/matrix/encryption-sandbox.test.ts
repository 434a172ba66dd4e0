import { afterAll, beforeAll, describe } from 'vitest';
import { createHomeserver, type Homeserver } from '../../src/sandbox/homeserver/homeserver.ts';
import { encryptionSuite } from './support/encryption-suite.ts';

describe('Encrypted rooms on the in-memory homeserver', () => {
  let homeserver: Homeserver;
  beforeAll(async () => {
    homeserver = await createHomeserver();
  });
  afterAll(() => homeserver.close());
  encryptionSuite(() => ({
    baseUrl: homeserver.baseUrl,
    serverName: homeserver.serverName,
    registerUser: async (name, password) => homeserver.registerUser(name, password),
  }));
});
