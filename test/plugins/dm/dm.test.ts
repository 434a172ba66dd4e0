import { describe, expect, it } from 'vitest';
import dm from '../../../plugins/dm/index.ts';
import { TEST_OWN_NODE, testPlugin } from '../../../src/plugins/testing.ts';

const nodes = [
  { num: TEST_OWN_NODE, shortName: 'HOME' },
  { num: 0xb0b, shortName: 'BOB', radio: 'second' },
];

describe('dm', () => {
  it('sends to one node under the name of the writer', async () => {
    const tester = testPlugin(dm, { nodes });
    const { replies, reactions } = await tester.room('!dm bob are you there?', { senderName: 'Alice\nAdmin' });
    expect(tester.sent.mesh).toEqual([{ text: 'Alice Admin (Matrix): are you there?', to: 0xb0b, radio: 'second' }]);
    expect([replies, reactions]).toEqual([[{ text: 'On its way to BOB.' }], ['✅']]);
  });

  it('takes an id, and the account of someone without a name', async () => {
    const tester = testPlugin(dm, { nodes });
    await tester.room('!dm !00000b0b hi', { senderName: ' ' });
    expect(tester.sent.mesh).toMatchObject([{ text: '@alice:example.org (Matrix): hi', to: 0xb0b }]);
  });

  it.each([['!dm nobody hi'], ['!dm bob'], ['!dm home hi']])('sends nothing for %s', async (text) => {
    const tester = testPlugin(dm, { nodes });
    expect((await tester.room(text)).reactions).toEqual(['❌']);
    expect(tester.sent.mesh).toEqual([]);
  });

  it('is for administrators where the configuration says so, and never for the mesh', async () => {
    const tester = testPlugin(dm, { nodes, config: { admin_only: true } });
    expect(tester.manifest.commands).toMatchObject([{ admin: true, on: ['room'] }]);
    expect((await tester.mesh('!dm bob hi')).handled).toBe(false);
  });
});
