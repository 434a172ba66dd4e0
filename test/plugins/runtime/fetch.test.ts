import { expect, it } from 'vitest';
import { limitedFetch } from '../../../src/plugins/runtime/fetch.ts';
import { freePort } from '../../support/free-port.ts';

const LIMITS = { headers: {}, timeoutMs: 5_000, maxBytes: 1_000 };

it('says why a host cannot be reached, instead of "fetch failed"', async () => {
  const port = await freePort();
  await expect(limitedFetch({ ...LIMITS, url: `http://127.0.0.1:${port}/` })).rejects.toThrow(
    `127.0.0.1:${port} cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
  );
});
