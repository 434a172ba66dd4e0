import { expect, it } from 'vitest';
import { LONG_TEST_MS, RadioStage, relayUnderCuts } from './support/radio-stage.ts';
import { TcpCable } from './support/tcp-cable.ts';

it('a radio over TCP: carries both ways through resets and silent half-open links (100 each with MMRELAY_E2E_FULL) without loss or copy', {
  timeout: LONG_TEST_MS,
  retry: 0,
}, async () => {
  const stage = await RadioStage.build();
  const cable = new TcpCable(stage.radio.port);
  try {
    stage.start({ kind: 'tcp', host: '127.0.0.1', port: await cable.listen() });
    await relayUnderCuts(stage, [
      { name: 'reset', begin: () => cable.cut(), end: () => cable.mend() },
      { name: 'half-open', isKnownToRadio: false, begin: () => cable.silence(), end: () => cable.mend() },
    ]);
    expect(stage.logs.some((line) => line.includes('no sign of life'))).toBe(true);
  } finally {
    // First, or the radio waits for the far end of a silent line.
    await cable.close();
    await stage.close();
  }
});
