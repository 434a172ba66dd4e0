import { expect, it } from 'vitest';
import { pluginAccess } from '../../../src/app/plugins/relay-access.ts';
import type { Intent } from '../../../src/relay/rules/view.ts';
import { ROOM } from '../../support/relay-fixture.ts';

type Options = Parameters<typeof pluginAccess>[0];

it('a picture goes into the outbox with its bytes, whatever is known of the room by then', async () => {
  const submitted: (readonly Intent[])[] = [];
  const access = pluginAccess({
    matrix: { room: () => null },
    view: () => ({ settings: { routes: [{ room: ROOM }] } }),
    submit: (intents: readonly Intent[]) => void submitted.push(intents),
    clock: { now: () => 0 },
  } as unknown as Options);
  const data = new Uint8Array([137, 80, 78, 71]);
  const image = { data, mimeType: 'image/png', fileName: 'map.png', width: 2, height: 1 } as const;
  await access.sendRoom({ room: ROOM, image, text: 'The map' }, 'map');
  const media = { base64: 'iVBORw==', mimeType: 'image/png', fileName: 'map.png' };
  const content = { msgtype: 'm.image', body: 'The map', filename: 'map.png', mmrelay_suppress: true };
  expect(submitted).toMatchObject([[{ kind: 'to-room', room: ROOM, delivery: { kind: 'event', content, media } }]]);
  expect(JSON.stringify(submitted)).not.toContain('"url"');
});
