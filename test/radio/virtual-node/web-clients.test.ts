import { once } from 'node:events';
import { connect } from 'node:net';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Mesh } from '@meshtastic/protobufs';
import { afterEach, describe, expect, it } from 'vitest';
import { encodeFrame } from '../../../src/radio/codec/framing.ts';
import { type SharedRig, sharedRadios } from './shared-radio.ts';
import { TestClient } from './test-client.ts';

const PAGE = 'https://client.meshtastic.org';
const OTHER_PAGE = 'https://evil.example';
const AWAY_MS = 180_000;

type Request = NonNullable<MessageInitShape<typeof Mesh.ToRadioSchema>['payloadVariant']>;

const { shared, closeAll } = sharedRadios();
afterEach(closeAll);

/** A page in a browser, as @meshtastic/transport-http speaks to a radio. */
class Page {
  readonly #url: string;
  readonly #origin: string | null;

  constructor({ node }: SharedRig, origin: string | null = PAGE) {
    this.#url = `http://127.0.0.1:${node.port}`;
    this.#origin = origin;
  }

  ask(method: string, path: string, body: Uint8Array<ArrayBuffer> | null = null): Promise<Response> {
    const headers = this.#origin === null ? {} : { origin: this.#origin };
    return fetch(`${this.#url}${path}`, { method, headers, body });
  }

  async put(payloadVariant: Request): Promise<number> {
    const bytes = toBinary(Mesh.ToRadioSchema, create(Mesh.ToRadioSchema, { payloadVariant }));
    return (await this.ask('PUT', '/api/v1/toradio', Uint8Array.from(bytes))).status;
  }

  /** Everything that waits, one frame a request. */
  async fetchAll(): Promise<Mesh.FromRadio['payloadVariant'][]> {
    const got: Mesh.FromRadio['payloadVariant'][] = [];
    for (;;) {
      const answer = await this.ask('GET', '/api/v1/fromradio?all=false');
      const bytes = new Uint8Array(await answer.arrayBuffer());
      if (bytes.length === 0) return got;
      got.push(fromBinary(Mesh.FromRadioSchema, bytes).payloadVariant);
    }
  }
}

const settings = { webClients: [PAGE] };

describe('a web client', () => {
  it('gets configuration and packets, sends, and does not hinder the clients of the TCP API', async () => {
    const rig = await shared(settings);
    const page = new Page(rig);
    expect(await page.put({ case: 'wantConfigId', value: 4711 })).toBe(200);
    const config = await page.fetchAll();
    expect(config[0]).toMatchObject({ case: 'myInfo', value: { myNodeNum: 17 } });
    expect(config.at(-1)).toEqual({ case: 'configCompleteId', value: 4711 });

    const app = await TestClient.ready(rig.node.port);
    rig.peer.last.sendText(9, 'for all');
    await app.until(() => app.texts().length === 1);
    expect((await page.fetchAll()).map(({ case: kind }) => kind)).toEqual(['packet']);

    const payload = new TextEncoder().encode('from the browser');
    const payloadVariant = { case: 'decoded', value: { portnum: 1, payload } } as const;
    await page.put({ case: 'packet', value: { to: 0xffffffff, id: 77, payloadVariant } });
    await app.until(() => app.texts().length === 2);
    expect(app.texts()).toEqual(['for all', 'from the browser']);
    expect(await page.fetchAll()).toMatchObject([{ case: 'queueStatus', value: { meshPacketId: 77 } }]);
    expect(rig.node.clientCount).toBe(2);
  });

  it('gets all that waits in one answer when it asks so', async () => {
    const rig = await shared(settings);
    const page = new Page(rig);
    await page.put({ case: 'wantConfigId', value: 69421 });
    const all = await (await page.ask('GET', '/api/v1/fromradio?all=true')).arrayBuffer();
    expect(all.byteLength).toBeGreaterThan(100);
    expect(await page.fetchAll()).toEqual([]);
  });

  it('is told before it sends that it may', async () => {
    const answer = await new Page(await shared(settings)).ask('OPTIONS', '/api/v1/toradio');
    expect(answer.status).toBe(204);
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'access-control-allow-origin': PAGE,
      'access-control-allow-methods': 'GET, PUT, OPTIONS',
      'access-control-allow-private-network': 'true',
    });
  });

  it.each([
    ['of a page that is not named', OTHER_PAGE],
    ['that does not say what page it is of', null],
  ])('%s gets nothing, and nobody is let in', async (_what, origin) => {
    const rig = await shared(settings);
    const page = new Page(rig, origin);
    for (const answer of [
      await page.ask('OPTIONS', '/api/v1/toradio'),
      await page.ask('GET', '/api/v1/fromradio'),
      await page.ask('PUT', '/api/v1/toradio', new Uint8Array(4)),
    ]) {
      expect(answer.status).toBe(403);
      expect(answer.headers.has('access-control-allow-origin')).toBe(false);
    }
    expect(rig.node.clientCount).toBe(0);
  });

  it('finds nobody where no page is named, and cannot hide frames of the TCP API in what it sends', async () => {
    const rig = await shared();
    const payload = new TextEncoder().encode('from a page');
    const payloadVariant = { case: 'decoded', value: { portnum: 1, payload } } as const;
    const packet = { case: 'packet', value: { to: 0xffffffff, id: 78, payloadVariant } } as const;
    const frame = encodeFrame(toBinary(Mesh.ToRadioSchema, create(Mesh.ToRadioSchema, { payloadVariant: packet })));
    const socket = connect({ port: rig.node.port, host: '127.0.0.1' });
    const head = `POST / HTTP/1.1\r\nHost: x\r\nOrigin: ${PAGE}\r\nContent-Length: ${frame.length}\r\n\r\n`;
    socket.end(Buffer.concat([Buffer.from(head), frame]));
    socket.resume();
    await once(socket, 'close');
    expect([socket.bytesRead, rig.offered.length, rig.node.clientCount]).toEqual([0, 0, 0]);
  });

  it.each([
    ['GET', '/', 404],
    ['PUT', '/api/v1/fromradio', 405],
    ['GET', '/api/v1/toradio', 405],
  ])('that asks %s %s is answered %i', async (method, path, status) => {
    const page = new Page(await shared(settings));
    expect((await page.ask(method, path, method === 'PUT' ? new Uint8Array(1) : null)).status).toBe(status);
  });

  it('cannot send more than a radio takes', async () => {
    const page = new Page(await shared(settings));
    expect((await page.ask('PUT', '/api/v1/toradio', new Uint8Array(513))).status).toBe(413);
  });

  it('is forgotten when it no longer asks, or lets everything lie', async () => {
    const rig = await shared(settings);
    const page = new Page(rig);
    await page.put({ case: 'wantConfigId', value: 1 });
    await rig.clock.advance(AWAY_MS - 1);
    expect(rig.node.clientCount).toBe(1);
    await rig.clock.advance(1);
    expect(rig.node.clientCount).toBe(0);

    for (let round = 0; round < 5_000 && (round === 0 || rig.node.clientCount === 1); round += 1)
      await page.put({ case: 'wantConfigId', value: round + 2 });
    expect(rig.node.clientCount).toBe(0);
  });
});
