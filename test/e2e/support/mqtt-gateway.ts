import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import { ensurePythonEnv } from './python-env.ts';

const SCRIPT = fileURLToPath(new URL('mqtt_gateway.py', import.meta.url));
const STOCK_KEY = 'd4f1bb3a20290759f0bcffabcf4e6901';
/** What the whole world sees in the packets of channel LongFast with its stock key. */
const LONG_FAST_HASH = 8;

/** One packet of the relay as the official protobufs and openssl read it. */
export interface DecodedPacket {
  readonly topic: string;
  readonly portnum: number;
  readonly text: string;
  readonly id: number;
  readonly [field: string]: unknown;
}

/** A node with uplink and downlink on a broker: what it puts there and reads there is other people's code. */
export class MqttGateway {
  readonly heard: DecodedPacket[] = [];
  readonly id: string;
  readonly #root: string;
  readonly #client: MqttClient;
  readonly #python: ChildProcessWithoutNullStreams;
  readonly #answers: ((line: string) => void)[] = [];

  private constructor(parts: {
    readonly id: string;
    readonly root: string;
    readonly client: MqttClient;
    readonly python: ChildProcessWithoutNullStreams;
  }) {
    this.id = parts.id;
    this.#root = parts.root;
    this.#client = parts.client;
    this.#python = parts.python;
    createInterface({ input: parts.python.stdout }).on('line', (line) => this.#answers.shift()?.(line));
    parts.client.on('message', (topic, payload) => {
      if (!topic.endsWith(`/${this.id}`)) void this.#decode(topic, payload);
    });
  }

  static async connect(options: {
    readonly port: number;
    readonly user: string;
    readonly password: string;
    readonly root: string;
    readonly id: string;
  }): Promise<MqttGateway> {
    const { port, user, password, root, id } = options;
    const python = spawn(await ensurePythonEnv('meshtastic'), ['-u', SCRIPT]);
    const url = `mqtt://127.0.0.1:${port}`;
    const client = await connectAsync(url, { username: user, password, reconnectPeriod: 200 });
    const gateway = new MqttGateway({ id, root, client, python });
    await client.subscribeAsync(`${root}/2/e/LongFast/+`, { qos: 1 });
    return gateway;
  }

  /** Puts a text on the channel, as heard from node `from`. */
  async say(from: number, packetId: number, text: string): Promise<void> {
    const request = { op: 'encode', from, id: packetId, text, channelId: 'LongFast', gatewayId: this.id };
    const { envelope } = await this.#ask({ ...request, hash: LONG_FAST_HASH, key: STOCK_KEY });
    const topic = `${this.#root}/2/e/LongFast/${this.id}`;
    await this.#client.publishAsync(topic, Buffer.from(String(envelope), 'hex'), { qos: 1 });
  }

  async raw(topic: string, payload: string): Promise<void> {
    await this.#client.publishAsync(topic, payload, { qos: 1 });
  }

  get isConnected(): boolean {
    return this.#client.connected;
  }

  async close(): Promise<void> {
    await this.#client.endAsync(true);
    this.#python.kill();
  }

  async #decode(topic: string, payload: Buffer): Promise<void> {
    const answer = await this.#ask({ op: 'decode', envelope: payload.toString('hex'), key: STOCK_KEY });
    this.heard.push({ ...(answer as unknown as DecodedPacket), topic });
  }

  #ask(request: object): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve) => {
      this.#answers.push((line) => resolve(JSON.parse(line) as Record<string, unknown>));
      this.#python.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }
}
