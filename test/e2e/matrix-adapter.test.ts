import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createMatrix } from '../../src/matrix/client.ts';
import { systemClock } from '../../src/util/clock.ts';
import { silentLogger } from '../../src/util/logger.ts';
import { RelayError } from '../../src/util/relay-error.ts';
import { adapterSuite } from '../matrix/support/adapter-suite.ts';
import { RecordingSink } from '../matrix/support/recording-sink.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const missing = inject('pythonMissing').synapse;

describe.skipIf(missing !== null)(`Matrix adapter against Synapse${missing === null ? '' : ` (${missing})`}`, () => {
  let synapse: Synapse;
  beforeAll(async () => {
    synapse = await startSynapse({ rateLimits: 'off' });
  });
  afterAll(() => synapse?.stop());
  adapterSuite(() => synapse);
});

describe.skipIf(missing !== null)('Matrix adapter against Synapse with stock rate limits', () => {
  let synapse: Synapse;
  beforeAll(async () => {
    synapse = await startSynapse({ rateLimits: 'stock' });
  });
  afterAll(() => synapse?.stop());

  it('reports the pause that the server asks for, and comes through after it', async () => {
    const bot = await synapse.registerUser('bot', 'secret');
    const sink = new RecordingSink();
    const adapter = createMatrix({
      credentials: { ...bot, homeserver: synapse.baseUrl },
      login: null,
      saveCredentials: () => undefined,
      rooms: [],
      clock: systemClock,
      logger: silentLogger,
      random: Math.random,
    });
    const headers = { Authorization: `Bearer ${bot.accessToken}` };
    const created = await fetch(`${synapse.baseUrl}/_matrix/client/v3/createRoom`, {
      method: 'POST',
      headers,
      body: '{}',
    });
    const { room_id: roomId } = (await created.json()) as { room_id: string };
    adapter.start(sink, null);
    await sink.until(() => sink.states.at(-1)?.status === 'syncing');
    let refusal: unknown = null;
    for (let i = 0; i < 15 && refusal === null; i += 1) {
      const send = { roomId, type: 'm.room.message', content: { msgtype: 'm.text', body: `${i}` }, txnId: `r${i}` };
      refusal = await adapter.send(send).then(
        () => null,
        (error: unknown) => error,
      );
    }
    expect(refusal).toBeInstanceOf(RelayError);
    expect(refusal).toMatchObject({ code: 'MATRIX_RATE_LIMITED', retry: { kind: 'after' } });
    const { retry } = refusal as RelayError;
    expect(retry.kind === 'after' ? retry.ms : 0).toBeGreaterThan(500);
    await adapter.stop();
  });
});
