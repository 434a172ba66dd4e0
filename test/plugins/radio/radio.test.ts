import { expect, it } from 'vitest';
import radio from '../../../plugins/radio/index.ts';
import type { Plugin } from '../../../src/plugins/api.ts';
import { testPlugin } from '../../../src/plugins/testing.ts';
import { inProcess, roomInbound, startHost, until } from '../host/helpers.ts';
import { NOW_MS, relayStatus } from '../status/relay-status.ts';

const [ready] = relayStatus.radios;
if (ready === undefined) throw new Error('the status has no radio');
const released = { ...ready, name: 'roof', status: 'stopped', reason: 'released', releasedUntilMs: NOW_MS + 480_000 };
const open = () => testPlugin(radio, { nowMs: NOW_MS, status: { ...relayStatus, radios: [ready, released] } });

it('tells everybody how the radios are, on both sides', async () => {
  const text = 'Radio default: ready for 1 h\nRadio roof: released for another 8 min';
  expect((await open().room('!radio')).replies[0]?.text).toBe(text);
  const reply = (await open().mesh('!radio status')).replies[0];
  expect(reply?.short).toBe('default ready, roof released 8m');
});

it('releases for an admin, for ten minutes or the time given', async () => {
  const tester = open();
  expect((await tester.room('!radio release', { admin: true })).replies[0]?.text).toBe(
    'Radio default is free for 10 min. Texts for it wait; !radio claim takes it back.',
  );
  expect((await tester.room('!radio release 2h roof', { admin: true })).replies[0]?.text).toMatch(
    /^Radio roof .* 2 h\./,
  );
  expect((await tester.room('!radio claim', { admin: true })).replies[0]?.text).toBe(
    'The relay takes radio default back.',
  );
  await tester.room('!radio claim radio=roof', { admin: true });
  expect(tester.sent.radios).toEqual([
    { radio: null, releaseMs: 600_000 },
    { radio: 'roof', releaseMs: 7_200_000 },
    { radio: null, releaseMs: null },
    { radio: 'roof', releaseMs: null },
  ]);
});

it('nobody else may, and nobody from the mesh', async () => {
  const tester = open();
  const refusal = 'Only an admin of the relay may do that, in a room.';
  expect((await tester.room('!radio release')).replies[0]?.text).toContain(refusal);
  expect((await tester.mesh('!radio claim')).replies[0]?.text).toContain(refusal);
  expect(tester.sent.radios).toEqual([]);
});

it('what the relay has against it is told to the one who asked', async () => {
  // What the general type cannot say: the host gives a plugin what it declared.
  const { host, sent, started } = startHost([inProcess(radio as unknown as Plugin, { mentionRequired: false })]);
  await started;
  expect(await host.claim(roomInbound('!radio claim', '@admin:ex.org'))).toBe(true);
  await until(() => sent.rooms.some((output) => 'text' in output));
  expect(sent.rooms).toContainEqual(expect.objectContaining({ text: 'Radio default is not released.' }));
});

it('a wrong word is answered with the usage', async () => {
  const { replies } = await open().room('!radio drop', { admin: true });
  expect(replies[0]?.text).toContain('Usage: !radio [action] [time] [radio]');
});
