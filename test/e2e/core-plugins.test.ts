import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { createVirtualRadio, type VirtualRadio } from '../../src/sandbox/radio/virtual-radio.ts';
import type { JsonObject } from '../../src/util/json.ts';
import { forecastAnswer, inlandAnswer } from '../plugins/weather/answers.ts';
import { type CryptoUser, cryptoUser, type Heard, openAttachment } from '../support/crypto-user.ts';
import { DaemonProcess } from '../support/daemon-process.ts';
import { listen } from '../support/listen.ts';
import { eventually } from './support/eventually.ts';
import { type Synapse, startSynapse } from './support/synapse.ts';

const missing = inject('pythonMissing').synapse;
const title = 'core plugins in the live daemon, in an encrypted room of Synapse';

const BOT = '@relay:synapse.test';
const ANNA = 0x0a00a001;
const BERT = 0x0a00be01;
const PNG = [0x89, 0x50, 0x4e, 0x47];

describe.skipIf(missing !== null)(missing === null ? title : `${title} (${missing})`, () => {
  let synapse: Synapse;
  let carol: CryptoUser;
  let radio: VirtualRadio;
  let daemon: DaemonProcess;
  let weather: Server;
  let roomId: string;

  /** The notices and pictures that answer a command; each is encrypted on the wire. */
  async function ask(command: string, count = 1): Promise<readonly Heard[]> {
    const before = carol.heard.length;
    await carol.say(roomId, `${BOT} ${command}`);
    const answers = (): Heard[] =>
      carol.heard.slice(before).filter(({ sender, type }) => sender === BOT && type === 'm.room.message');
    await eventually(`answer to ${command}`, () => (answers().length >= count ? true : null), 20_000);
    for (const answer of answers()) expect([answer.encrypted, answer.wire.body]).toEqual([true, undefined]);
    return answers();
  }

  async function answerTo(command: string): Promise<unknown> {
    return (await ask(command))[0]?.content.body;
  }

  /** The picture behind an answer, opened with the key in the event. */
  async function pictureFor(command: string): Promise<{ readonly content: JsonObject; readonly data: Buffer }> {
    const [answer] = await ask(command);
    const content = answer?.content ?? {};
    expect(content).toMatchObject({ msgtype: 'm.image', mmrelay_suppress: true, file: { v: 'v2' } });
    return {
      content,
      data: await openAttachment(carol, content.file as unknown as Parameters<typeof openAttachment>[1]),
    };
  }

  beforeAll(async () => {
    weather = createServer((request, response) => {
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.url?.startsWith('/marine') ? inlandAnswer : forecastAnswer));
    });
    const weatherUrl = `http://127.0.0.1:${await listen(weather)}`;
    synapse = await startSynapse({ rateLimits: 'off' });
    await synapse.registerUser('relay', 'a password');
    carol = await cryptoUser(synapse.baseUrl, await synapse.registerUser('carol', 'another'));
    roomId = await carol.createRoom({ encrypted: true });
    const position = { latitude: 48.2, longitude: 16.37, altitudeM: 171, timeS: 0 };
    const metrics = { batteryLevel: 88, voltage: 4.1, channelUtilization: 3, airUtilTx: 1, uptimeS: 60 };
    radio = await createVirtualRadio({
      region: 'US',
      modemPreset: 'SHORT_TURBO',
      nodes: [
        { num: ANNA, longName: 'Anna', shortName: 'ANN', position, metrics },
        { num: BERT, longName: 'Bert', shortName: 'BRT', position: { ...position, latitude: 48.3 } },
      ],
    });
    const urls = {
      forecast_url: `${weatherUrl}/forecast`,
      marine_url: `${weatherUrl}/marine`,
      geocoding_url: `${weatherUrl}/geo`,
    };
    const active = { active: true };
    daemon = new DaemonProcess({
      config: {
        meshtastic: { connection_type: 'tcp', host: '127.0.0.1', port: radio.port, meshnet_name: 'Hill' },
        matrix: { homeserver: synapse.baseUrl, bot_user_id: BOT, password: 'a password' },
        matrix_rooms: [{ id: roomId, meshtastic_channel: 0 }],
        plugins: {
          ping: active,
          nodes: active,
          help: active,
          status: active,
          who: active,
          queue: active,
          dm: active,
          trace: active,
          telemetry: active,
          map: { ...active, tile_url: '' },
          weather: { ...active, ...urls },
        },
      },
    });
    daemon.start();
    await daemon.ready();
    await daemon.until(() => daemon.output.split('The plugin runs').length > 11, 'eleven plugins');
    // Its keys are known, so that the first command can be read.
    await eventually('the relay answers', async () => {
      await carol.say(roomId, `${BOT} !ping`);
      const isThere = () => carol.heard.some(({ content }) => content.body === 'pong!');
      for (let n = 0; n < 20 && !isThere(); n += 1) await new Promise((resolve) => setTimeout(resolve, 100));
      return isThere() ? true : null;
    });
  });

  afterAll(async () => {
    await daemon?.close();
    carol?.stop();
    await radio?.close();
    await synapse?.stop();
    weather?.close();
  });

  it('ping, with its mark', async () => {
    const before = carol.heard.length;
    expect(await answerTo('!ping')).toBe('pong!');
    const marks = () => carol.heard.slice(before).filter(({ type, sender }) => type === 'm.reaction' && sender === BOT);
    await eventually('the mark', () => marks()[0] ?? null);
    expect(marks()[0]?.content['m.relates_to']).toMatchObject({ key: '✅' });
  });

  it('nodes, who, status, queue and help', async () => {
    expect(await answerTo('!nodes')).toMatch(/^Nodes: 3\n[\s\S]*ANN Anna \/ .* \/ 88% 4\.1V \//);
    expect(await answerTo('!who 7d')).toMatch(/Anna|ANN/);
    expect(await answerTo('!status')).toMatch(/Radio default: ready/i);
    expect(await answerTo('!queue')).toMatch(/wait|Nothing/i);
    expect(await answerTo('!help')).toMatch(/^Available commands: .*nodes, ping/);
    expect(await answerTo('!help map')).toMatch(/^`?!map/);
  });

  it('map: a picture that only members of the room can open', async () => {
    const { content, data } = await pictureFor('!map size=300,200');
    expect(content).toMatchObject({ filename: 'location.png', info: { mimetype: 'image/png', w: 300, h: 200 } });
    expect(content.body).toBe('Map of 2 nodes: ANN, BRT.');
    expect([...data.subarray(0, 4)]).toEqual(PNG);
    expect(content.info).toMatchObject({ size: data.length });
  });

  it('telemetry: what nodes tell is recorded and drawn', async () => {
    radio.node(ANNA).sendTelemetry({ batteryLevel: 77, voltage: 4, channelUtilization: 3, airUtilTx: 1, uptimeS: 90 });
    const { content, data } = await eventually('a chart with the value', async () => {
      const picture = await pictureFor('!batteryLevel ANN');
      return String(picture.content.body).includes('77') ? picture : null;
    });
    expect(content).toMatchObject({ filename: 'graph.png' });
    expect([...data.subarray(0, 4)]).toEqual(PNG);
  });

  it('weather, from a server of our own', async () => {
    expect(await answerTo('!weather 48.2,16.37')).toMatch(
      /^Now: .* - 12\.2°C \| Humidity 64% \| Wind 10\.0km\/h 270° \| Precip 14%$/,
    );
  });

  it('a direct message and a trace reach the mesh', async () => {
    expect(await answerTo('!dm ANN see you')).toMatch(/ANN|Anna/);
    const sent = (portnum: number) =>
      radio.mesh.heard.find(
        ({ packet }) => packet.from === radio.nodeNum && packet.portnum === portnum && packet.to === ANNA,
      );
    expect(new TextDecoder().decode((await eventually('the text', () => sent(1) ?? null)).packet.payload)).toBe(
      'carol (Matrix): see you',
    );
    await carol.say(roomId, `${BOT} !trace ANN`);
    await eventually('the trace', () => sent(70) ?? null, 20_000);
  });

  it('on the mesh: answers of one packet, none of it in the room', async () => {
    const before = carol.heard.length;
    const texts = (): readonly string[] =>
      radio.mesh.heard
        .filter(({ packet }) => packet.from === radio.nodeNum && packet.portnum === 1)
        .map(({ packet }) => new TextDecoder().decode(packet.payload));
    for (const [command, answer] of [
      ['!ping', /^pong!$/],
      ['!nodes', /ANN|BRT/],
      ['!weather', /^Now: /],
      ['!map', /^From you: BRT 11 km N$/],
    ] as const) {
      radio.node(ANNA).sendText(0, command, { to: radio.nodeNum });
      await eventually(`answer to ${command}`, () => texts().find((text) => answer.test(text)) ?? null, 20_000);
    }
    expect(Math.max(...texts().map((text) => Buffer.byteLength(text)))).toBeLessThanOrEqual(200);
    expect(carol.heard.slice(before).filter(({ sender }) => sender === BOT)).toEqual([]);
  });
});
