import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, it } from 'vitest';
import { limitedFetch } from '../../../src/plugins/runtime/fetch.ts';

const LIMITS = { headers: {}, timeoutMs: 5_000, maxBytes: 1_000 };

it('says why a host cannot be reached, instead of "fetch failed"', async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  await expect(limitedFetch({ ...LIMITS, url: `http://127.0.0.1:${port}/` })).rejects.toThrow(
    `127.0.0.1:${port} cannot be reached: connect ECONNREFUSED 127.0.0.1:${port}`,
  );
});
