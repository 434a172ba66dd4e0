import { afterAll, beforeAll, describe, inject } from 'vitest';
import { trustSuite } from '../matrix/support/trust-suite.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const missing = inject('pythonMissing').synapse;

describe.skipIf(missing !== null)(`Trust on Synapse${missing === null ? '' : ` (${missing})`}`, () => {
  let synapse: Synapse;
  beforeAll(async () => {
    synapse = await startSynapse({ rateLimits: 'off' });
  });
  afterAll(() => synapse?.stop());
  trustSuite(() => synapse);
});
