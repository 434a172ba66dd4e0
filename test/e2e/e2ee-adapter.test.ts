import { afterAll, beforeAll, describe, inject } from 'vitest';
import { encryptionSuite } from '../matrix/support/encryption-suite.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const missing = inject('pythonMissing').synapse;

describe.skipIf(missing !== null)(`Encrypted rooms on Synapse${missing === null ? '' : ` (${missing})`}`, () => {
  let synapse: Synapse;
  beforeAll(async () => {
    synapse = await startSynapse({ rateLimits: 'off' });
  });
  afterAll(() => synapse?.stop());
  encryptionSuite(() => synapse);
});
