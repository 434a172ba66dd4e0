import { afterAll, beforeAll, describe, inject } from 'vitest';
import { trustSuite } from '../matrix/support/trust-suite.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const missing = inject('pythonMissing').synapse;

const name = `Trust on Synapse${missing === null ? '' : ` (${missing})`}`;

// As in test/matrix/trust-sandbox.test.ts: a step that the other client loses is not waited for ten minutes.
describe.skipIf(missing !== null)(name, { timeout: 120_000, retry: 2 }, () => {
  let synapse: Synapse;
  beforeAll(async () => {
    synapse = await startSynapse({ rateLimits: 'off' });
  });
  afterAll(() => synapse?.stop());
  trustSuite(() => synapse);
});
