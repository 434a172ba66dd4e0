import { expect, it } from 'vitest';
import debug from '../../../plugins/debug/index.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';

it('logs every packet first, at debug, without what people wrote', async () => {
  const tester = testPlugin(debug);
  const payload = new TextEncoder().encode('a secret');
  await tester.packet({ payload, decoded: { kind: 'text', text: 'a secret' } });
  expect(tester.manifest).toMatchObject({ priority: 1, commands: [] });
  expect(tester.log).toMatchObject([{ level: 'debug', fields: { fromId: '!0a11ce01', payloadBytes: 8 } }]);
  expect(JSON.stringify(tester.log)).not.toContain('secret');
});
