import { afterAll, beforeAll, describe, inject } from 'vitest';
import { trustSuite } from '../matrix/support/trust-suite.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const missing = inject('pythonMissing').synapse;

const name = `Trust on Synapse${missing === null ? '' : ` (${missing})`}`;

describe.skipIf(missing !== null)(name, { timeout: 120_000 }, () => {
  let synapse: Synapse;
  beforeAll(async () => {
    synapse = await startSynapse({ rateLimits: 'off' });
  });
  afterAll(() => synapse?.stop());
  trustSuite(() => synapse);
});
