import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import { ensurePythonEnv } from './python-env.ts';

const SCRIPT = fileURLToPath(new URL('mqtt_gateway.py', import.meta.url));
/** A channel as a gateway has it: the whole key in hex, and the hash that the world sees in its packets. */
export interface GatewayChannel {
  readonly name: string;
  readonly key: string;
  readonly hash: number;
}

const LONG_FAST: GatewayChannel = { name: 'LongFast', key: 'd4f1bb3a20290759f0bcffabcf4e6901', hash: 8 };

export interface GatewayOptions {
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly root: string;
  readonly id: string;
  /** LongFast by default. */
  readonly channel?: GatewayChannel;
  /** Of a broker with TLS. */
  readonly certificate?: string;
}

/** A packet that a gateway puts on the broker. */
export interface GatewayPacket {
  readonly from: number;
  readonly id: number;
  readonly text: string;
  readonly to?: number;
  /** `PKI` for a message to one node's own key. */
  readonly channelId?: string;
  /** The topic's channel, where it is not the envelope's. */
  readonly topicChannel?: string;
  readonly retain?: boolean;
}

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
  readonly #channel: GatewayChannel;
  readonly #client: MqttClient;
  readonly #python: ChildProcessWithoutNullStreams;
  readonly #answers: ((line: string) => void)[] = [];

  private constructor(parts: {
    readonly id: string;
    readonly root: string;
    readonly channel: GatewayChannel;
    readonly client: MqttClient;
    readonly python: ChildProcessWithoutNullStreams;
  }) {
    this.id = parts.id;
    this.#root = parts.root;
    this.#channel = parts.channel;
    this.#client = parts.client;
    this.#python = parts.python;
    createInterface({ input: parts.python.stdout }).on('line', (line) => this.#answers.shift()?.(line));
    parts.client.on('message', (topic, payload) => {
      if (!topic.endsWith(`/${this.id}`)) void this.#decode(topic, payload);
    });
  }

  static async connect(options: GatewayOptions): Promise<MqttGateway> {
    const { port, user, password, root, id, channel = LONG_FAST, certificate } = options;
    const python = spawn(await ensurePythonEnv('meshtastic'), ['-u', SCRIPT]);
    const url = `${certificate === undefined ? 'mqtt' : 'mqtts'}://127.0.0.1:${port}`;
    const ca = certificate === undefined ? {} : { ca: readFileSync(certificate) };
    const client = await connectAsync(url, { username: user, password, reconnectPeriod: 200, ...ca });
    const gateway = new MqttGateway({ id, root, channel, client, python });
    await client.subscribeAsync(`${root}/2/e/${channel.name}/+`, { qos: 1 });
    return gateway;
  }

  /** Puts a text on the channel, as heard from node `from`. */
  async say(from: number, packetId: number, text: string): Promise<void> {
    await this.put({ from, id: packetId, text });
  }

  async put({ topicChannel, retain = false, ...packet }: GatewayPacket): Promise<void> {
    const { name, key, hash } = this.#channel;
    const request = { op: 'encode', channelId: name, gatewayId: this.id, hash, key, ...packet };
    const { envelope } = await this.#ask(request);
    const topic = `${this.#root}/2/e/${topicChannel ?? request.channelId}/${this.id}`;
    await this.#client.publishAsync(topic, Buffer.from(String(envelope), 'hex'), { qos: 1, retain });
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
    const answer = await this.#ask({ op: 'decode', envelope: payload.toString('hex'), key: this.#channel.key });
    this.heard.push({ ...(answer as unknown as DecodedPacket), topic });
  }

  #ask(request: object): Promise<Readonly<Record<string, unknown>>> {
    return new Promise((resolve) => {
      this.#answers.push((line) => resolve(JSON.parse(line) as Record<string, unknown>));
      this.#python.stdin.write(`${JSON.stringify(request)}\n`);
    });
  }
}
