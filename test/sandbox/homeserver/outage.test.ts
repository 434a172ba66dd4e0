import { afterEach, beforeEach, expect, it } from 'vitest';
import { createHomeserver, type Homeserver } from '../../../src/sandbox/homeserver/homeserver.ts';
import { ManualClock, settle } from '../../../src/util/manual-clock.ts';

const WHOAMI = '/_matrix/client/v3/account/whoami';
let server: Homeserver;
let clock: ManualClock;
let headers: Record<string, string>;

beforeEach(async () => {
  clock = new ManualClock();
  server = await createHomeserver({ clock });
  headers = { authorization: `Bearer ${server.registerUser('alice', 'secret').accessToken}` };
});
afterEach(() => server.close());

const get = (path = WHOAMI): Promise<Response> => fetch(`${server.baseUrl}${path}`, { headers });

async function makeRoom(): Promise<string> {
  const created = await fetch(`${server.baseUrl}/_matrix/client/v3/createRoom`, {
    method: 'POST',
    headers,
    body: '{}',
  });
  return ((await created.json()) as { room_id: string }).room_id;
}

it('refuses connections and comes back on the same port', async () => {
  await server.setOutage({ kind: 'refuse' });
  await expect(get()).rejects.toThrow();
  await server.setOutage(null);
  expect((await get()).status).toBe(200);
});

it('answers as nginx, as a server that lost the token, and as one that broke', async () => {
  await server.setOutage({ kind: 'bad-gateway' });
  const html = await get();
  expect([html.status, html.headers.get('content-type')]).toEqual([502, 'text/html']);
  expect(await html.text()).toContain('502 Bad Gateway');
  await server.setOutage({ kind: 'unknown-token', softLogout: true });
  expect(await (await get()).json()).toMatchObject({ errcode: 'M_UNKNOWN_TOKEN', soft_logout: true });
  await server.setOutage({ kind: 'internal-error' }, { times: 1 });
  expect((await get()).status).toBe(500);
  expect((await get()).status).toBe(200);
});

it('hangs without processing until the client gives up', async () => {
  await server.setOutage({ kind: 'hang' });
  const giveUp = new AbortController();
  const hung = fetch(`${server.baseUrl}${WHOAMI}`, { headers, signal: giveUp.signal });
  while (server.requestCount(/whoami/) === 0) await settle();
  giveUp.abort();
  await expect(hung).rejects.toThrow();
});

it('drops the answer of a send that it processed; the resend gets the same event', async () => {
  const room = await makeRoom();
  await server.setOutage({ kind: 'drop-answer' }, { only: /PUT .*\/send\//, times: 1 });
  const send = (): Promise<Response> =>
    fetch(`${server.baseUrl}/_matrix/client/v3/rooms/${encodeURIComponent(room)}/send/m.room.message/t1`, {
      method: 'PUT',
      headers,
      body: JSON.stringify({ msgtype: 'm.text', body: 'once' }),
    });
  await expect(send()).rejects.toThrow();
  const { event_id: eventId } = (await (await send()).json()) as { event_id: string };
  const sent = server.timeline(room).filter((event) => event.type === 'm.room.message');
  expect(sent.map((event) => event.eventId)).toEqual([eventId]);
});

it('asks for patience, shows a web page, and gives its last answer to /sync again', async () => {
  await server.setOutage({ kind: 'rate-limited', retryAfterMs: 700 });
  const limited = await get();
  expect([limited.status, await limited.json()]).toMatchObject([
    429,
    { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 700 },
  ]);
  await server.setOutage({ kind: 'web-page' });
  const page = await get();
  expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('<title>')]);
  await server.setOutage(null);

  const first = await (await get('/_matrix/client/v3/sync')).json();
  const room = await makeRoom();
  await server.setOutage({ kind: 'old-sync' });
  expect(await (await get('/_matrix/client/v3/sync')).json()).toEqual(first);
  await server.setOutage(null);
  expect(JSON.stringify(await (await get('/_matrix/client/v3/sync?full_state=true')).json())).toContain(room);
});

it('is slow by its clock', async () => {
  await server.setOutage({ kind: 'slow', delayMs: 5000 });
  const slow = get();
  while (clock.pending() === 0) await settle();
  await clock.advance(5000);
  expect((await slow).status).toBe(200);
});

it('ends a long poll by its clock and leaves no timer behind', async () => {
  const { next_batch: since } = (await (await get('/_matrix/client/v3/sync')).json()) as { next_batch: string };
  const poll = get(`/_matrix/client/v3/sync?since=${since}&timeout=30000`);
  while (clock.pending() === 0) await settle();
  await clock.advance(30_000);
  expect(await (await poll).json()).toMatchObject({ next_batch: since });
  expect(clock.pending()).toBe(0);
});
